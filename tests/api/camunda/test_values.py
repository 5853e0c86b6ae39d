"""Typed values: what goes in comes out, for every type and in both ways; what is none of its type is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.camunda import values
from engine.errors import InvalidInput

#: What can be kept: no half of a surrogate pair, no NUL.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - bounds are naive here


def java(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}{moment:%z}"


def base64_of(content):
    return base64.b64encode(content).decode()


TYPED = st.one_of(
    st.tuples(st.just("Boolean"), st.booleans()),
    st.tuples(st.just("Short"), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just("Integer"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("Long"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("Double"), st.floats(-1e308, 1e308)),
    st.tuples(st.just("Date"), MOMENTS.map(java)),
    st.tuples(st.sampled_from(["String", "Xml"]), TEXTS),
    st.tuples(st.just("Bytes"), st.binary(max_size=20).map(base64_of)),
    st.tuples(
        st.sampled_from(["Json", "Object"]),
        DOCUMENTS.filter(lambda d: d is not None).map(lambda d: json.dumps(d, ensure_ascii=False, separators=(",", ":"))),
    ),
    st.tuples(st.just("Null"), st.none()),
    st.tuples(st.sampled_from(["String", "Date", "Json"]), st.none()),
)


def through(typed, **options):
    """Read a variable, keep it as the database does, show it."""
    given = values.decode({"v": typed})
    kept, types = json.loads(json.dumps([dict(given.values), dict(given.types)]))
    return values.encode(kept["v"], types.get("v"), **options)


@given(TYPED, st.booleans())
def test_typed__comes_back_as_it_was(typed, small):
    kind, value = typed
    sent = kind[:1].lower() + kind[1:] if small else kind

    shown = through({"value": value, "type": sent, "valueInfo": {}})

    assert (shown["type"], shown["value"]) == (kind, value)
    assert isinstance(shown["valueInfo"], dict)


@given(TYPED)
def test_shown__can_be_sent_back(typed):
    shown = through({"value": typed[1], "type": typed[0]})

    assert through(shown) == shown


@given(DOCUMENTS)
def test_untyped__is_inferred(document):
    shown = through({"value": document}, deserialize=True)

    assert shown["value"] == document
    assert shown["type"] in {"Null", "Boolean", "Integer", "Long", "Double", "String", "Object"}
    if isinstance(document, (list, dict)):
        assert shown["valueInfo"]["objectTypeName"].startswith("java.util.")
        assert json.loads(through({"value": document})["value"]) == document


def test_types__are_named_as_clients_know_them():
    cases = [
        (None, "Null"),
        (True, "Boolean"),
        (2**31 - 1, "Integer"),
        (2**31, "Long"),
        (-(2**31) - 1, "Long"),
        (1.0, "Double"),
        ("", "String"),
        ([], "Object"),
    ]

    assert [(value, values.encode(value)["type"]) for value, _ in cases] == cases


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        ("Integer", "5", 5),
        ("Long", "-5", -5),
        ("Short", "+5", 5),
        ("Double", "2.5e1", 25.0),
        ("Double", "3", 3.0),
        ("Boolean", "true", True),
        ("Boolean", "FALSE", False),
        ("String", 5, "5"),
        ("String", 2.5, "2.5"),
        ("String", True, "true"),
    ],
)
def test_type__counts_where_the_value_is_written_otherwise(kind, sent, kept):
    """As in Camunda 7: forms and workers send numbers as texts, and texts as numbers."""
    shown = through({"value": sent, "type": kind})

    assert (shown["type"], shown["value"], type(shown["value"])) == (kind, kept, type(kept))


def test_date__in_the_forms_that_clients_send():
    sent = ["2026-03-01T08:00:00.000+0800", "2026-03-01T00:00:00.000+0000", "2026-03-01T00:00:00Z", "2026-03-01T08:00:00"]

    shown = [through({"value": text, "type": "date"})["value"] for text in sent]

    assert {datetime.fromisoformat(text).astimezone(UTC) for text in shown} == {datetime(2026, 3, 1, tzinfo=UTC)}
    assert [len(text) for text in shown] == [28] * 4


def test_file__its_content_is_not_shown():
    shown = through({"value": base64_of(b"x"), "type": "File", "valueInfo": {"filename": "a.pdf", "mimeType": "application/pdf"}})

    assert shown == {"value": None, "type": "File", "valueInfo": {"filename": "a.pdf", "mimeType": "application/pdf"}}


def test_type__no_longer_fits():
    assert values.encode(5, {"type": "Date"}) == {"value": 5, "type": "Integer", "valueInfo": {}}
    assert values.encode("x", {"type": "Short"})["type"] == "String"


def test_transient__is_told():
    assert values.decode({"a": {"value": 1, "valueInfo": {"transient": True}}, "b": {"value": 2}}).transient == {"a"}


@pytest.mark.parametrize(
    "typed",
    [
        1,
        None,
        [],
        {"value": 1, "type": "Nothing"},
        {"value": 1, "type": 1},
        {"value": 1, "type": ""},
        {"value": "1.0", "type": "Integer"},
        {"value": "", "type": "Integer"},
        {"value": "2147483648", "type": "Integer"},
        {"value": "1" * 5000, "type": "Long"},
        {"value": "1e999", "type": "Double"},
        {"value": "nan", "type": "Double"},
        {"value": True, "type": "Integer"},
        {"value": 2**31, "type": "Integer"},
        {"value": 2**15, "type": "Short"},
        {"value": 2**63, "type": "Long"},
        {"value": 2**64},
        {"value": [[2**64]]},
        {"value": float("nan"), "type": "Double"},
        {"value": float("inf")},
        {"value": True, "type": "Double"},
        {"value": [1], "type": "String"},
        {"value": 1, "type": "Xml"},
        {"value": "yes", "type": "Boolean"},
        {"value": 1, "type": "Boolean"},
        {"value": "yesterday", "type": "Date"},
        {"value": "2026-02-30T08:00:00.000+0800", "type": "Date"},
        {"value": "0001-01-01T00:00:00.000+1400", "type": "Date"},
        {"value": 5, "type": "Date"},
        {"value": "{", "type": "Json"},
        {"value": "%", "type": "Bytes"},
        {"value": 1, "type": "Bytes"},
        {"value": "eA==", "type": "File"},
        {"value": 1, "type": "Null"},
        {"value": "x", "type": "Object", "valueInfo": {"serializationDataFormat": "application/x-java-serialized-object"}},
        {"value": 1, "valueInfo": [1]},
    ],
)
def test_decode__unacceptable(typed):
    with pytest.raises(InvalidInput, match=r"^Expected .*v"):
        values.decode({"v": typed})


@pytest.mark.parametrize("variables", [1, [], "x"])
def test_decode__no_object(variables):
    with pytest.raises(InvalidInput, match="Expected variables as an object"):
        values.decode(variables)


def test_decode__too_deep():
    deep = []
    for _ in range(200):
        deep = [deep]

    with pytest.raises(InvalidInput, match="deep"):
        values.decode({"v": {"value": deep}})
