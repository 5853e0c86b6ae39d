"""Rules about input and output parameters."""

from __future__ import annotations

from bpmn.compiler.particulars import parameters
from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.rules.work import LANGUAGES
from bpmn.compiler.source import CAMUNDA, Node, extensions, text_of
from bpmn.definition import ACTIVITIES, Element, ElementType, LoopType

#: What has parameters, as in Camunda 7.
WITH_PARAMETERS = ACTIVITIES | {ElementType.CATCH_EVENT, ElementType.THROW_EVENT, ElementType.END_EVENT}
KINDS = ("inputParameter", "outputParameter")
#: What may stand in a parameter, an entry or a list.
NESTED = frozenset({"list", "map", "script"})
IN_LIST = NESTED | {"value"}


def parameters_elsewhere(drawing: Drawing) -> Problems:
    """Activities and intermediate events have parameters; what gives nothing back has no output parameters."""
    for element in drawing.elements:
        node = drawing.node(element.id)
        if element.type not in WITH_PARAMETERS:
            if any(True for _ in extensions(node, "inputOutput")):
                message = f"Expected {drawing.label(element.id)} to have no input or output parameters, but it has some"
                yield element.id, f"{message}: put them on an activity"
        elif element.output_parameters and (reason := _gives_nothing(element)):
            message = f"Expected {drawing.label(element.id)} to have no output parameters, but it has some"
            yield element.id, f"{message}: remove them, {reason}"


def bad_parameter(drawing: Drawing) -> Problems:
    """A parameter has a name, once, and one value."""
    for element in drawing.elements:
        for kind in KINDS:
            names: set[str] = set()
            for row in parameters.rows(drawing.node(element.id), kind):
                name = row.get("name", "")
                if wrong := _wrong_name(name, names) or _wrong(row):
                    called = f"the {'input' if kind == KINDS[0] else 'output'} parameter {name[:60]!r} of {drawing.label(element.id)}"
                    yield element.id, f"Expected {called} to have a name and one value, but {wrong}"
                names.add(name)


def _gives_nothing(element: Element) -> str | None:
    if element.type is ElementType.END_EVENT:
        return "nothing comes after an end event"
    if element.loop is not None and element.loop.type is not LoopType.STANDARD:
        return "the instances of a multi-instance activity would overwrite one another"
    return None


def _wrong_name(name: str, names: set[str]) -> str | None:
    if not name.strip():
        return "it has no name: fill it in"
    return "the name is there twice: keep one" if name in names else None


def _wrong(row: Node) -> str | None:
    """Say what is wrong with what stands in a parameter or an entry; None: nothing."""
    inside = parameters.children(row)
    if len(inside) > 1:
        return f"it holds {len(inside)} things: keep one, or put them into a list"
    if inside and parameters.word(inside[0]) not in NESTED:
        return f"it holds a {parameters.word(inside[0])}: write a text, an expression, a list, a map or a script"
    return _wrong_value(inside[0]) if inside else None


def _wrong_value(row: Node) -> str | None:
    word = parameters.word(row)
    if word == "list":
        entries = parameters.children(row)
        unknown = (f"its list holds a {parameters.word(e)}: write values" for e in entries if parameters.word(e) not in IN_LIST)
        return next(unknown, None) or next(filter(None, map(_wrong_value, entries)), None)
    if word == "map":
        entries = list(row.iterchildren(f"{CAMUNDA}entry"))
        keyless = any("{" in entry.get("key", "{") or not entry.get("key") for entry in entries)
        keys = "an entry of its map has no plain key: write one" if keyless else None
        return keys or next(filter(None, map(_wrong, entries)), None)
    if word == "script":
        return _wrong_script(row)
    return None


def _wrong_script(row: Node) -> str | None:
    language = (row.get("scriptFormat") or "nothing").lower()
    if row.get("resource") is not None or language not in LANGUAGES:
        return f"its script is in {language[:60]}: only juel and feel run, and what stands in the diagram"
    return None if text_of(row) else "its script is empty: write it"
