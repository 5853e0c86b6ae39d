"""From text to tokens, for JUEL and FEEL alike."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import NamedTuple, NoReturn

from bpmn.errors import ExpressionError
from bpmn.expressions import limits

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<name>[^\W\d]\w*)
  | (?P<operator>&&|\|\||==|!=|<=|>=|\*\*|\.\.|[-+*/%<>=!?:.,()\[\]{}@])
    """,
    re.VERBOSE | re.DOTALL,
)
#: A character beyond the first 65,536 may be written as the two halves that other languages keep it in.
_ESCAPE = re.compile(
    r"\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})|\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))",
    re.DOTALL,
)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


class Token(NamedTuple):
    """One word of an expression."""

    #: number, string, name, operator or end.
    kind: str
    #: As written; texts keep their quotes.
    text: str
    position: int


def tokenize(source: str, offset: int = 0, *, comments: bool = False) -> list[Token]:
    """Split source into tokens; positions count from `offset`; comments are skipped where the dialect has them."""
    if len(source) > limits.SOURCE:
        raise ExpressionError(f"Expected an expression of at most {limits.SOURCE} characters, but it has {len(source)}")
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise ExpressionError(_unreadable(source, position, offset))
        if match.lastgroup != "space" and not (comments and match.lastgroup == "comment"):
            tokens.append(Token(str(match.lastgroup), match.group(), offset + position))
        position = match.end()
    if len(tokens) > limits.TOKENS:
        raise ExpressionError(f"Expected an expression of at most {limits.TOKENS} words, but it has {len(tokens)}")
    tokens.append(Token("end", "", offset + len(source)))
    return tokens


#: What Chinese keyboards give besides letters and signs of full width, and what is meant.
_MEANT = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "≥": ">=", "≤": "<=", "≠": "!=", "》": ">", "《": "<", "、": ",", "￥": "$", "¥": "$"}
)


def narrow(text: str) -> str:
    """Return a text with the signs of a Chinese keyboard as those that expressions are written in."""
    return unicodedata.normalize("NFKC", text.translate(_MEANT))


def _unreadable(source: str, position: int, offset: int) -> str:
    found = source[position]
    if found in "\"'":
        return f"Expected a closing {found} for the text that begins at position {offset + position + 1}, but there is none"
    plain = narrow(found)
    hint = "type a straight quotation mark" if found in "“”‘’" else f"type {plain}" if plain != found and plain.isascii() else ""
    return f"Expected an expression, but found {found!r} at position {offset + position + 1}" + (f" ({hint})" if hint else "")


def unquote(token: Token) -> str:
    """Return the text that a string token stands for."""
    return _ESCAPE.sub(lambda match: _unescape(match, token), token.text[1:-1])


def _unescape(match: re.Match[str], token: Token) -> str:
    high, low, short, long, single = match.groups()
    if high:
        return chr(0x10000 + (int(high, 16) - 0xD800) * 0x400 + int(low, 16) - 0xDC00)
    if single is not None and single in _ESCAPED:
        return _ESCAPED[single]
    written = chr(int(short or long, 16)) if (short or long) and int(short or long, 16) <= sys.maxunicode else ""
    if not written or "\ud800" <= written <= "\udfff":  # half of a surrogate pair is no character
        raise ExpressionError(f'Expected an escape such as \\n, \\" or \\u4e00, but found {match.group()} at position {token.position + 1}')
    return written


class Tokens:
    """A reader that stands before one token and moves on."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._nesting = 0

    @property
    def current(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._index]

    def ahead(self, count: int) -> Token:
        """Look at the token `count` places further on."""
        return self._tokens[min(self._index + count, len(self._tokens) - 1)]

    def at(self, *texts: str) -> bool:
        """Tell whether one of these words comes next."""
        return self.current.text in texts and self.current.kind != "end"

    def advance(self, count: int = 1) -> Token:
        """Pass a token and return it (the last one, when it is several)."""
        self._index = min(self._index + count, len(self._tokens) - 1)
        return self._tokens[self._index - 1]

    def accept(self, *texts: str) -> bool:
        """Pass one of these words if it comes next."""
        found = self.at(*texts)
        if found:
            self._index += 1
        return found

    def expect(self, text: str) -> Token:
        """Pass the word that must come next."""
        if not self.at(text):
            self.refuse(text)
        return self.advance()

    def name(self, what: str = "a name") -> str:
        """Pass the name that must come next and return it."""
        if self.current.kind != "name":
            self.refuse(what)
        return self.advance().text

    def finish(self) -> None:
        """Make sure that nothing is left."""
        if self.current.kind != "end":
            self.refuse("an operator or the end")

    def refuse(self, expected: str, hint: str = "") -> NoReturn:
        """Raise an error that says what was expected and what was found."""
        token = self.current
        found = f"found {token.text}" if token.kind != "end" else "the expression ends"
        note = f" ({hint})" if hint else ""
        raise ExpressionError(f"Expected {expected}, but {found} at position {token.position + 1}{note}")

    def enter(self) -> None:
        """Go one bracket deeper."""
        self._nesting += 1
        if self._nesting > limits.NESTING:
            raise ExpressionError(f"Expected at most {limits.NESTING} levels of nesting, but there are more")

    def leave(self) -> None:
        """Come out of a bracket."""
        self._nesting -= 1
