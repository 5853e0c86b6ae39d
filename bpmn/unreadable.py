"""What is wrong with a file that cannot be read, in words for whoever saved it."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: How other files begin.
_KINDS = (
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0|<svg\b", "it is a picture (图片)"),
    (rb"%PDF", "it is a PDF"),
    (rb"PK\x03\x04|Rar!|\x1f\x8b|7z\xbc\xaf", "it is an archive, or a document of an office program (压缩包、Office 文档)"),
    (rb"\xd0\xcf\x11\xe0|\{\\rtf", "it is a document of an office program (Office 文档)"),
    (rb"(?i)<!doctype\s+html|<html\b", "it is a web page (网页), which often says that a download failed"),
)
#: What may stand before the first letter.
_LEAD = re.compile(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\0 \t\r\n]*")
_CONFLICT = re.compile(rb"^<{7}(?: |$)", re.MULTILINE)
_DECLARED = re.compile(rb"""^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)""")
_OPENED = re.compile(r"tag mismatch: (\S+) line (\d+)")
#: What libxml2 says, what it means to somebody who draws diagrams, and what to do.
_WORDS = {
    "Excessive depth": ("its elements are nested too deep", "nobody draws so many within one another"),
    "huge text node": ("one of its texts is too long", "shorten it"),
    "AttValue length too long": ("one of its attributes is too long", "shorten it"),
    "amplification": ("it expands entities", "write the text itself"),
    "Premature end of data": ("it is cut off (不完整)", "save it again, or download it again"),
    "Extra content at the end": ("something follows the end of the diagram", "remove what stands behind the last tag"),
    "declaration allowed only at the start": (
        "<?xml …?> does not stand at its beginning",
        "remove what stands before it, or the second copy",
    ),
    "ntity": ("it has a & by itself, or a name behind & that XML does not know", "write &amp; for &, and a blank for &nbsp;"),
    "Unescaped '<'": ("a < stands in a text", "write &lt;"),
    "invalid element name": ("a < stands in a text", "write &lt;"),
    "redefined": ("an attribute stands twice on one element", "remove one of the two"),
    "Namespace prefix": ("it has a prefix that is not declared", "copy xmlns:… from the first tag of the drawing that it comes from"),
    "nvalid char": ("it has a character that XML cannot hold, such as one of a broken copy", "delete it and write it anew"),
    "invalid xmlChar": ("it has a character that XML cannot hold, such as one of a broken copy", "delete it and write it anew"),
    "omment": ("a comment in it is not closed, or has --", "end it with -->"),
    "CData section": ("a text in it (CDATA) is not closed", "end it with ]]>"),
    "AttValue": ("the value of an attribute is not between straight quotation marks", 'write "…", not “…”'),
    "mandates value": ("an attribute has no value", 'write ="…" behind it'),
    "attributes construct": ("a blank between two attributes, or a quotation mark, is missing", "write it"),
}


def kind(content: bytes, own: bytes) -> str | None:
    """Say what a file is by how it begins; None where it begins as its kind does, with one of the letters of `own`, or nobody knows."""
    begins = _LEAD.sub(b"", content)
    if not begins:
        return "it is empty (空文件)"
    found = next((what for pattern, what in _KINDS if re.match(pattern, begins, re.DOTALL)), None)
    other = {b"<": "it is XML, as diagrams and tables are", b"{": "it is JSON, as forms are", b"[": "it is JSON"}
    return found or (None if begins[:1] in own else other.get(begins[:1]))


def describe(content: bytes, said: str, line: int) -> tuple[str, str, int]:
    """Say what keeps a file from being read as XML, what to do, and on which line; `said` is what libxml2 says, and `line` where."""
    if (what := kind(content, b"<")) is not None:
        return what, "deploy the diagram (.bpmn) or the table (.dmn) itself", 1
    if conflict := _CONFLICT.search(content):
        return "it holds two versions that nobody has merged (合并冲突)", "take one of them", content.count(b"\n", 0, conflict.start()) + 1
    if not _LEAD.sub(b"", content).startswith(b"<"):
        return "it does not begin with <, so that it is not XML at all", "save the diagram again in Camunda Modeler", 1
    return next(_encoded(content, line), None) or (*_worded(content, said), line)


def _encoded(content: bytes, line: int) -> Iterator[tuple[str, str, int]]:
    """Yield what is wrong with the encoding of a file, if anything is."""
    declared = _DECLARED.match(content.removeprefix(b"\xef\xbb\xbf"))
    name = declared[1].decode().upper() if declared else "UTF-8"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        if name == "UTF-8" and b"\0" not in content[:4]:
            saved = "it says that it is UTF-8, but is saved in another encoding, such as GBK" if _is_chinese(content) else "it is not UTF-8"
            yield f"{saved} (编码)", "save it as UTF-8", content.count(b"\n", 0, error.start) + 1
    else:
        if name != "UTF-8" and line == 1:
            yield f"its first line says that it is {name[:20]}, which it is not (编码)", 'write encoding="UTF-8"', 1


def _is_chinese(content: bytes) -> bool:
    try:
        return bool(content.decode("gb18030"))
    except UnicodeDecodeError:
        return False


def _worded(content: bytes, said: str) -> tuple[str, str]:
    """Say in plain words what libxml2 says."""
    if not content.rstrip(b"\0 \t\r\n").endswith(b">") and "Extra content" not in said:
        return _WORDS["Premature end of data"]
    if opened := _OPENED.search(said):
        return "a tag is not closed", f"close {opened[1][:40]} of line {opened[2]}, or take the last version that could be read"
    return next(
        (words for key, words in _WORDS.items() if key in said), (f"it is not well-formed: {said}", "save it again in Camunda Modeler")
    )
