"""Drawings (流程图): the picture that a diagram carries (BPMN DI) as SVG, with what was reached told apart from what was not."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from typing import Any

from lxml import etree

from bpmn import xml

#: Room around the drawing; size of letters and of lines of text; how wide a line under an event may be.
MARGIN, SIZE, LINE, LABEL = 20, 11, 13, 90
ARROW = "M 0 0 L 10 5 L 0 10 z"
#: Tags of what is drawn as a circle, a diamond or an empty frame; everything else is a box with its name in it.
_EVENTS = frozenset({"startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"})
_GATEWAYS = {"exclusiveGateway": "×", "parallelGateway": "+", "inclusiveGateway": "○", "eventBasedGateway": "⬠", "complexGateway": "✱"}
_FRAMES = frozenset({"subProcess", "transaction", "adHocSubProcess", "participant", "lane"})
_SIGNS = {
    "messageEventDefinition": "✉",
    "timerEventDefinition": "◷",
    "errorEventDefinition": "↯",
    "terminateEventDefinition": "●",
    "signalEventDefinition": "△",
    "escalationEventDefinition": "⇑",
    "conditionalEventDefinition": "≡",
    "compensateEventDefinition": "⏪",
    "cancelEventDefinition": "✕",
    "linkEventDefinition": "➔",
}


def draw(content: bytes, name: str, *, known: Collection[str], reached: Collection[str]) -> str:
    """Draw a diagram; of the elements that are `known`, those `reached` have the class `reached`, the others `missed`.

    Returns an empty text for a diagram without a picture.
    """
    root = xml.parse(content, name)
    elements = {each.get("id"): each for each in root.iter() if isinstance(each.tag, str) and each.get("id")}
    shapes = [shape for shape in _all(root, "BPMNShape") if shape.get("bpmnElement") in elements]
    edges = [edge for edge in _all(root, "BPMNEdge") if edge.get("bpmnElement") in elements]
    if not shapes:
        return ""
    svg = _canvas([*shapes, *edges])

    def kind(key: str) -> str:
        return "" if key not in known else "reached" if key in reached else "missed"

    # What holds others lies beneath them, and the arrows beneath what they connect.
    shapes.sort(key=lambda shape: _tag(elements[shape.get("bpmnElement")]) not in _FRAMES)
    frames = sum(_tag(elements[shape.get("bpmnElement")]) in _FRAMES for shape in shapes)
    for shape in shapes[:frames]:
        _place(svg, elements[shape.get("bpmnElement")], shape, kind)
    for edge in edges:
        _connect(svg, elements[edge.get("bpmnElement")], edge, kind)
    for shape in shapes[frames:]:
        _place(svg, elements[shape.get("bpmnElement")], shape, kind)
    return etree.tostring(svg, encoding="unicode")


def _canvas(drawn: list[Any]) -> Any:
    points = [point for each in drawn for point in _points(each)]
    left, top = min(x for x, _ in points) - MARGIN, min(y for _, y in points) - MARGIN
    width, height = max(x for x, _ in points) + MARGIN - left, max(y for _, y in points) + MARGIN - top
    sizes = {"viewBox": f"{left:g} {top:g} {width:g} {height:g}", "width": f"{width:g}", "height": f"{height:g}"}
    svg = etree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "diagram", **sizes})
    for state in ("reached", "missed", "plain"):
        marker = etree.SubElement(
            etree.SubElement(svg, "defs"),
            "marker",
            {"id": f"arrow-{state}", "viewBox": "0 0 10 10", "refX": "9", "refY": "5", "markerWidth": "11", "markerHeight": "11"},
        )
        marker.attrib.update({"orient": "auto", "markerUnits": "userSpaceOnUse"})
        etree.SubElement(marker, "path", {"d": ARROW, "class": state})
    return svg


def _points(drawn: Any) -> Iterator[tuple[float, float]]:
    for bounds in _all(drawn, "Bounds"):
        x, y, width, height = _box(bounds)
        yield x, y
        yield x + width, y + height
    for point in _all(drawn, "waypoint"):
        yield float(point.get("x")), float(point.get("y"))


def _place(svg: Any, element: Any, shape: Any, kind: Any) -> None:
    """Draw a node with its name."""
    tag, x, y, width, height = _tag(element), *_box(next(_all(shape, "Bounds")))
    middle = (x + width / 2, y + height / 2)
    group = etree.SubElement(svg, "g", {"class": f"{tag} {kind(element.get('id'))}".strip()})
    name = element.get("name") or ""
    etree.SubElement(group, "title").text = f"{name} ({element.get('id')})" if name else element.get("id")
    if tag in _EVENTS:
        _circle(group, element, middle, width / 2)
    elif tag in _GATEWAYS:
        corners = [(middle[0], y), (x + width, middle[1]), (middle[0], y + height), (x, middle[1])]
        etree.SubElement(group, "polygon", {"points": " ".join(f"{a:g},{b:g}" for a, b in corners)})
        _write(group, _GATEWAYS[tag], middle, "sign")
    else:
        frame = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
        etree.SubElement(group, "rect", {**frame, "rx": "0" if tag in ("participant", "lane") else "8"})
    if tag in _FRAMES:
        _write(group, name, (x + 8, y + 14), "corner")
    elif tag not in _EVENTS and tag not in _GATEWAYS:
        _lines(group, name, middle, width - 8)
    else:
        _label(group, name, shape, (middle[0], y + height + LINE))


def _circle(group: Any, element: Any, middle: tuple[float, float], radius: float) -> None:
    tag = _tag(element)
    at = {"cx": f"{middle[0]:g}", "cy": f"{middle[1]:g}"}
    dashed = element.get("cancelActivity") == "false" or element.get("isInterrupting") == "false"
    etree.SubElement(group, "circle", {**at, "r": f"{radius:g}", "class": "dashed" if dashed else "line"})
    if tag not in ("startEvent", "endEvent"):
        etree.SubElement(group, "circle", {**at, "r": f"{radius - 3:g}", "class": "dashed" if dashed else "line"})
    sign = next((_SIGNS[_tag(child)] for child in element if isinstance(child.tag, str) and _tag(child) in _SIGNS), "")
    _write(group, sign, middle, "sign")


def _connect(svg: Any, element: Any, edge: Any, kind: Any) -> None:
    """Draw a flow with its name."""
    key = element.get("id")
    state = kind(key) or "plain"
    group = etree.SubElement(svg, "g", {"class": f"flow {state}"})
    name = element.get("name") or ""
    etree.SubElement(group, "title").text = f"{name} ({key})" if name else key
    points = [(float(point.get("x")), float(point.get("y"))) for point in _all(edge, "waypoint")]
    line = {"points": " ".join(f"{x:g},{y:g}" for x, y in points)}
    if _tag(element) != "association":
        line["marker-end"] = f"url(#arrow-{state})"
    etree.SubElement(group, "polyline", line)
    if name and points:
        _label(group, name, edge, points[len(points) // 2])


def _label(group: Any, name: str, drawn: Any, otherwise: tuple[float, float]) -> None:
    """Write a name where the diagram says, else where it usually stands."""
    bounds = next((found for label in _all(drawn, "BPMNLabel") for found in _all(label, "Bounds")), None)
    if bounds is None:
        _lines(group, name, otherwise, LABEL)
        return
    x, y, width, height = _box(bounds)
    _lines(group, name, (x + width / 2, y + height / 2), max(width, LABEL))


def _lines(group: Any, text: str, middle: tuple[float, float], width: float) -> None:
    """Write a text around a point, broken into lines that are not wider than told."""
    lines, line = [], ""
    for letter in text:
        if line and _width(line + letter) > width:
            lines.append(line)
            line = ""
        line += letter
    lines += [line] if line else []
    top = middle[1] - (len(lines) - 1) * LINE / 2
    for place, each in enumerate(lines):
        _write(group, each, (middle[0], top + place * LINE), "name")


def _width(text: str) -> float:
    return sum(SIZE if unicodedata.east_asian_width(letter) in "WF" else SIZE * 0.56 for letter in text)


def _write(group: Any, text: str, at: tuple[float, float], kind: str) -> None:
    if text:
        etree.SubElement(group, "text", {"x": f"{at[0]:g}", "y": f"{at[1]:g}", "class": kind}).text = text


def _all(root: Any, tag: str) -> Iterator[Any]:
    return (each for each in root.iter() if isinstance(each.tag, str) and _tag(each) == tag)


def _tag(element: Any) -> str:
    return str(etree.QName(element).localname)


def _box(bounds: Any) -> tuple[float, float, float, float]:
    x, y, width, height = (float(bounds.get(name) or 0) for name in ("x", "y", "width", "height"))
    return x, y, width, height
