"""Results as JUnit XML, for a CI: a suite for each process, a test case for each walk or scenario, and for each path that was not taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET  # it only writes here

from api.simulation import report
from api.simulation.lines import Line
from api.simulation.plays import Play, Played
from engine.simulation import Tried


def written(tried: Sequence[Tried], played: Mapping[str, Played]) -> bytes:
    """Write the results.  There is no time in them: the clock was virtual."""
    root = ET.Element("testsuites", {"name": "onething simulate"})
    for each in tried:
        of_it = played.get(each.key, Played())
        found, untaken = of_it.plays, report.untaken(each, of_it) if of_it.survey else []
        failed = sum(bool(play.failure) for play in found)
        counts = {"tests": len(found) + len(untaken), "failures": failed, "errors": 0, "skipped": len(untaken)}
        suite = ET.SubElement(root, "testsuite", {"name": each.key, **{name: str(count) for name, count in counts.items()}})
        properties = ET.SubElement(suite, "properties")
        ET.SubElement(properties, "property", {"name": "coverage", "value": str(each.coverage.percent)})
        ET.SubElement(properties, "property", {"name": "paths", "value": str(each.coverage.percent_of_paths)})
        for play in found:
            _case(suite, each.key, play)
        for kind, path, why in untaken:
            case = ET.SubElement(suite, "testcase", {"classname": each.key, "name": _clean(f"path: {each.coverage.spoken(path)}")})
            ET.SubElement(case, "skipped", {"message": _clean(f"{kind}: {why}")})
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _case(suite: ET.Element, key: str, play: Play) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": key, "name": _clean(play.name)})
    if play.failure:
        ET.SubElement(case, "failure", {"message": _clean(play.failure)}).text = _clean(play.failure)
    ET.SubElement(case, "system-out").text = _clean("\n".join(map(_line, play.lines)))


def _line(line: Line) -> str:
    came = "".join(f" → {each.element}" for each in line.reached)
    refused = f" refused: {line.refused}" if line.refused else ""
    return f"{line.at:%Y-%m-%d %H:%M} {line.who} {line.what}{refused}{came}"


def _clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")
