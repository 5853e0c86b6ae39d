"""The documents: what they link to is there, what they name is there, and the operator's page names all that an operator meets."""

import re
from pathlib import Path

import pytest
from lxml import etree

from engine.clock import PauseKind
from engine.vocabulary import WORDS

CHECKOUT = Path(__file__).parent.parent
DECISIONS = CHECKOUT / "docs/decisions"
PAGES = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md"), *CHECKOUT.glob("tests/README.md"), *CHECKOUT.glob("tests/*/README.md")]
OPERATING = (CHECKOUT / "docs/operating.md").read_text(encoding="utf-8")
SVG, DI, DC = "{http://www.w3.org/2000/svg}", "{http://www.omg.org/spec/BPMN/20100524/DI}", "{http://www.omg.org/spec/DD/20100524/DC}"
#: Characters in a line, as in the code (a table has a row a line, however long).
WIDEST = 150
SOURCES = {path: path.read_text(encoding="utf-8") for folder in ("api", "bpmn", "engine") for path in (CHECKOUT / folder).rglob("*.py")}


def anchors(page):
    """Names of the headings of a page, as links say them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def prose(page):
    """Lines of a page, numbered, without what cannot be broken: blocks of code, rows of tables, headings, pictures, single words."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fenced ^= line.startswith("```")
        if not fenced and not line.lstrip().startswith(("|", "#", "```", "![", "<")) and " " in line.strip():
            yield number, line


def test_lines__are_short_enough_to_compare():
    lines = [(page, number, line) for page in PAGES for number, line in prose(page)]

    long = [f"{page.relative_to(CHECKOUT)}:{number}" for page, number, line in lines if len(line) > WIDEST]

    assert len(lines) > 1_000
    assert long == []


def test_links__lead_somewhere():
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))]

    broken = [f"{page.relative_to(CHECKOUT)}: {link}" for page, link in links if "://" not in link and not (page.parent / link).exists()]

    assert len(links) > 5
    assert broken == []


def test_links__lead_to_headings():
    links = [
        (page, page.parent / path if path else page, anchor)
        for page in PAGES
        for path, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    ]

    broken = [f"{page.relative_to(CHECKOUT)}: {there.name}#{anchor}" for page, there, anchor in links if anchor not in anchors(there)]

    assert len(links) > 5
    assert broken == []


@pytest.mark.parametrize(
    "named",
    [
        r"`((?:api|bpmn|docs|engine|tests|workflows)/[\w./-]+)`",
        r"(?:-m |`)(tests\.(?:benchmarks|soak|conformance)(?:\.\w+)*)",
    ],
)
def test_names__of_files_and_modules(named):
    found = {(page, name) for page in PAGES for name in re.findall(named, page.read_text(encoding="utf-8"))}

    missing = [f"{page.relative_to(CHECKOUT)}: {name}" for page, name in found if not is_there(name)]

    assert len(found) > 5
    assert missing == []


def is_there(name):
    path = CHECKOUT / (name if "/" in name else name.replace(".", "/"))
    return path.exists() or path.with_suffix(".py").exists()


def test_names__of_functions():
    named = {each for page in PAGES for each in re.findall(r"`([\w/]+\.py)` `(\w+)`", page.read_text(encoding="utf-8"))}

    missing = [f"{path}: {name}" for path, name in named if not is_defined(CHECKOUT / path, name)]

    assert len(named) > 5
    assert missing == []


def is_defined(path, name):
    return re.search(rf"^ *(?:def|class) {name}\b", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_names__within_modules():
    """`module.name` and `Class.name`, on pages about today's code: not what has changed (the changelog), nor what is drawn (the rules)."""
    pages = [page for page in PAGES if page.name != "CHANGELOG.md" and page.parent.name != "rules"]
    said = {each for page in pages for each in re.findall(r"`(\w+)\.([a-z_]+|[A-Z]\w+)(?:\([^`]*\))?`", page.read_text(encoding="utf-8"))}
    named = {(where, name): texts for where, name in said if not is_a_file(where, name) and (texts := texts_of(where))}

    missing = [f"{where}.{name}" for (where, name), texts in named.items() if not any(is_said_in(text, name) for text in texts)]

    assert len(named) > 20
    assert missing == []


def is_a_file(where, name):
    """Whether this names a file, or a module by its package."""
    return name in {"py", "conf"} or any((CHECKOUT / where / f"{name}{suffix}").exists() for suffix in ("", ".py"))


def texts_of(where):
    """What stands in modules of a name, tables or classes."""
    if where[0].isupper():
        return [text.partition(f"\nclass {where}")[2] for text in SOURCES.values() if re.search(rf"^class {where}\b", text, re.MULTILINE)]
    tables = [text.partition(f'__tablename__ = "{where}"')[2] for text in SOURCES.values()]
    return [text for path, text in SOURCES.items() if where in {path.stem, path.parent.name}] + [text for text in tables if text]


def is_said_in(text, name):
    """Whether something is defined, assigned, declared or imported under a name."""
    return re.search(rf"^ *(?:def|class) {name}\b|^ *(?:self\.)?{name}\b.* = |^ *{name}: |^from .* import .*\b{name}\b", text, re.MULTILINE)


def test_matters__names_what_a_designer_may_write():
    """Every property, every column and every word that the engine goes by."""
    page = (CHECKOUT / "docs/reference/matters.md").read_text(encoding="utf-8")
    lists = [*WORDS.processes.values(), *WORDS.elements.values(), *WORDS.columns.values(), *WORDS.shown.values(), WORDS.questions]
    columns = [each for table in WORDS.tables.values() for each in (table.needed, table.known)]
    named = frozenset().union(WORDS.of_processes, WORDS.of_elements, *lists, *columns) - frozenset(PauseKind)

    assert len(named) > 60
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_forms__names_what_a_task_of_a_kind_asks_for():
    """Every field that the engine goes by, with every value that it knows."""
    page = (CHECKOUT / "docs/reference/forms.md").read_text(encoding="utf-8")
    values = [value for kinds in (WORDS.fields, WORDS.options) for fields in kinds.values() for known in fields.values() for value in known]
    fields = [field for kinds in (WORDS.fields, WORDS.options) for fields in kinds.values() for field in fields]
    companions = [field for kinds in WORDS.companions.values() for needed in kinds.values() for field in needed]

    assert len(values) > 20
    assert {name for name in [*WORDS.fields, *values, *fields, *companions] if f"`{name}`" not in page} == set()


def test_decisions__are_listed():
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", (DECISIONS / "README.md").read_text(encoding="utf-8"))

    assert sorted(listed) == sorted(path.name for path in DECISIONS.glob("0*.md"))


@pytest.mark.parametrize(
    "named",
    [
        r'"(onething_[a-z_]+)"',  # what Prometheus is told
        r'log\.(?:info|warning|error|exception)\(\s*"([^"]+)"',  # what stands in the log
    ],
)
def test_operating__names_what_an_operator_meets(named):
    told = {name for text in SOURCES.values() for name in re.findall(named, text)}

    assert len(told) > 5
    assert {name for name in told if f"`{name}" not in OPERATING} == set()


def test_map__of_the_engine():
    page = (CHECKOUT / "docs/from-drawing-to-commit.md").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)`", page.partition("## The modules of `engine/`")[2].partition("\n## ")[0])
    modules = [path for path in (CHECKOUT / "engine").rglob("*.py") if "migrations" not in path.parts]

    assert sorted([*named, "engine"]) == sorted((path.parent if path.stem == "__init__" else path).stem for path in modules)


def test_picture__is_the_diagram_as_it_is_drawn():
    """Each shape and each label stands where the diagram has it: who changes a drawing makes its picture anew."""
    picture = etree.parse(CHECKOUT / "docs/images/open-restaurant.svg")
    places = {
        drawn.get("data-element-id"): re.findall(r"[\d.]+", drawn.get("transform"))[4:]
        for drawn in picture.iterfind(f".//{SVG}g[@transform]")
    }
    expected = {}
    for shape in etree.parse(CHECKOUT / "workflows/open-restaurant/open-restaurant.bpmn").iterfind(f".//{DI}BPMNPlane/*"):
        for suffix, bounds in (("", shape.find(f"{DC}Bounds")), ("_label", shape.find(f"{DI}BPMNLabel/{DC}Bounds"))):
            if bounds is not None:
                expected[shape.get("bpmnElement") + suffix] = [bounds.get("x"), bounds.get("y")]
    assert expected == {name: place for name, place in places.items() if name in expected}
    assert len(expected) > 100
