"""Variables, as lists ask for them."""

import pytest

from engine.variables import Comparison


@pytest.mark.parametrize(
    ("pattern", "is_like"),
    [
        ("abcab", True),
        ("abc", False),
        ("", False),
        ("%", True),
        ("%%", True),
        ("abc%", True),
        ("%cab", True),
        ("%ab", True),
        ("ab%ab", True),
        ("abc%cab", False),
        ("%b%b", True),
        ("%b%b%b", False),
        ("%bca%", True),
        ("%x%", False),
        ("a%c%a%b", True),
        ("abcab%", True),
        ("%abcabc", False),
    ],
)
def test_like(pattern, is_like):
    found = [Comparison(name="x", operator=operator, value=pattern).holds({"x": "abcab"}) for operator in ("like", "notLike")]

    assert found == [is_like, not is_like]


def test_like__what_is_no_text():
    assert not any(Comparison(name="x", operator=operator, value="%").holds({"x": 5}) for operator in ("like", "notLike"))


def test_like__pattern_of_many_parts():
    """It takes as long as the text is; as a regular expression it would not end in anybody's life."""
    assert not Comparison(name="x", operator="like", value="%a" * 40 + "%b").holds({"x": "a" * 2000})
