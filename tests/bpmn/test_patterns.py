"""Patterns: no regular expression from a form or a table can run away."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import patterns
from bpmn.errors import ExpressionError


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"^1[3-9]\d{9}$", "13800138000", True),
        (r"^1[3-9]\d{9}$", "1380013800x", False),
        (r"^[\w.]+@[\w.]+\.\w+$", "li.lei@example.com.cn", True),
        (r"^(?:\d{4},)*\d{4}$", "2024,2025,2026", True),
        (r"^(京|沪|粤)[A-Z]\w{5}$", "粤B12345", True),
        (r"^[一-龥]{2,10}$", "张三", True),
        (r"^(?=.*\d).{8,20}$", "password1", True),
        (r"colou?r", "my color", True),
        (r"\d", "１", False),
        ("", "anything", True),
    ],
)
def test_found__ordinary(pattern, text, expected):
    assert patterns.found(patterns.compile_pattern(pattern), text) is expected


def test_found__flags():
    assert patterns.found(patterns.compile_pattern("^b$", "im"), "a\nB")
    assert not patterns.found(patterns.compile_pattern("^b$"), "a\nB")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(a+)+$", "one fixed length"),
        ("(a*)*", "one fixed length"),
        ("(a|a)*b", "one fixed length"),
        ("(a|ab)*c", "one fixed length"),
        ("(a?){50}", "one fixed length"),
        ("((ab)*c)+", "one fixed length"),
        ("(?:a{1,2}){3,}", "one fixed length"),
        (r"(a)\1", "a reference to a group"),
        (r"(a)?b(?(1)c|d)", "a conditional group"),
        ("(", "Expected a regular expression"),
        ("[z-a]", "Expected a regular expression"),
        ("*", "Expected a regular expression"),
        (r"\p{Han}", "Expected a regular expression"),
        ("a{99999999999999999999}", "Expected a regular expression"),
        ("(" * 400, "Expected a regular expression"),
        ("a" * 501, "at most 500 characters"),
    ],
)
def test_compile_pattern__refused(pattern, message):
    with pytest.raises(ExpressionError, match=message):
        patterns.compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["a*a*a*a*b", ".*.*.*x", "(a?a?a?a?){1}b*b*c", "a{0,999}a{0,999}a{0,999}b"])
def test_found__long_text_for_many_free_lengths(pattern):
    with pytest.raises(ExpressionError, match="Expected a shorter text"):
        patterns.found(patterns.compile_pattern(pattern), "a" * 20_000)


#: Parts that alone are harmless and together are not.
PARTS = st.lists(
    st.sampled_from(["a", "b", ".", "a*", "a+", "a?", "(a|b)", "(aa)*", "[ab]{1,9}", "^", "$", "(", ")", "*", "+", "?", "|", r"\w+"]),
    max_size=10,
)


@settings(max_examples=300, deadline=None)
@given(PARTS.map("".join), st.integers(0, 3_000))
def test_found__ends_or_is_refused(pattern, length):
    """What runs away would not end before the tests are stopped."""
    with contextlib.suppress(ExpressionError):
        patterns.found(patterns.compile_pattern(pattern), "a" * length + "!")
