"""Pages of cases, read: headings, diagrams, runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).parent
PART = re.compile(r"(?P<key>[^\s=]+)=(?P<value>\"[^\"]*\"|\$\{[^}]*\}|\[(?:[^\[\]]|\[[^\[\]]*\])*\]|\{[^}]*\}|\S+)|(?P<word>\S+)")
CLOSINGS = ("ends", "fails", "rests")


@dataclass(frozen=True)
class Step:
    """One command and what it changes; a closing has no trace."""

    verb: str
    words: tuple[str, ...]
    variables: dict
    trace: str | None = None


@dataclass(frozen=True)
class Case:
    """One diagram and what happens in it."""

    #: Page and heading.
    name: str
    drawing: tuple[str, ...]
    runs: tuple[tuple[Step, ...], ...]


#: Cases of several instances are played otherwise.
CALLED = "called"


def cases(family=None):
    """All cases of all pages of one instance, or of one family of pages."""
    pages = sorted(HERE.glob(f"{family or '*'}/*.md"))
    return [case for page in pages if family or page.parent.name != CALLED for case in _page(page)]


def parts(text):
    """Words and options of a line: `user a name="b c"` gives ["user", "a"] and {"name": "b c"}."""
    found = list(PART.finditer(text))
    return [match["word"] for match in found if match["word"]], {m["key"]: m["value"].strip('"') for m in found if m["key"]}


def known(closing):
    """What a closing says: `ends at e despite E1 with x=1` gives {"at": "e", "despite": "E1"}."""
    return dict(zip(closing.words[::2], closing.words[1::2], strict=False))


def _page(path):
    family = path.relative_to(HERE).with_suffix("").as_posix()
    for section in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        for number, block in enumerate(re.findall(r"((?:^    .*\n|^\n)+)", body, re.MULTILINE)):
            if block.strip():
                yield _case(f"{family}: {heading.strip()}{f' ({number})' if number > 1 else ''}", block)


def _case(name, block):
    lines = [line[4:] for line in block.splitlines() if line.strip()]
    drawing = tuple(line for line in lines if "=>" not in line and line.split()[0] not in CLOSINGS)
    runs = []
    for line in (line for line in lines if line not in drawing):
        step = _step(line)
        if step.verb == "start":
            runs.append([])
        runs[-1].append(step)
    assert runs, f"{name} has no run"
    assert all(run[-1].trace is None for run in runs), f"a run of {name} does not close"
    return Case(name, drawing, tuple(map(tuple, runs)))


def _step(line):
    command, _, trace = line.partition("=>")
    closing = command.split()[0] in CLOSINGS
    words, options = parts(command)
    variables = {key: yaml.safe_load(value) for key, value in options.items()}
    return Step(words[0], tuple(words[1:]), variables, None if closing else " ".join(trace.split()))
