"""Identity numbers, credit codes and telephone numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn import identifiers
from bpmn.identifiers import Format, IdType


@pytest.mark.parametrize("value", ["11010519491231002X", "440524188001010014"])
def test_refusal__identity_numbers_of_the_standard(value):
    assert identifiers.refusal(value, Format.ID_NUMBER) == ""


@pytest.mark.parametrize(
    "first", ["810000199001010", "820000199001010", "830000199001010", "911124198108030", "931156198108030", "965643198108030"]
)
def test_refusal__identity_numbers_of_residents_from_elsewhere(first):
    """Hong Kong, Macao, Taiwan; foreign permanent residents, whose cards since 2023 have a 9 before the province that issued them."""
    number = f"{first}02"

    assert identifiers.refusal(number + identifiers.id_check(number), Format.ID_NUMBER) == ""
    assert identifiers.documents(number + identifiers.id_check(number)) == []


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("E12345678", IdType.PASSPORT),
        ("123456789", IdType.PASSPORT),
        ("C01X00T47", IdType.PASSPORT),
        ("TR1234567", IdType.PASSPORT),
        ("H12345678", IdType.HK_MACAO_PERMIT),
        ("M12345678", IdType.HK_MACAO_PERMIT),
        ("12345678", IdType.TAIWAN_PERMIT),
        ("CAN110108070708", IdType.RESIDENCE_CARD),
    ],
)
def test_refusal__numbers_of_other_documents(value, kind):
    assert identifiers.refusal(value, kind) == ""
    assert kind in identifiers.documents(value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("430105", IdType.PASSPORT),
        ("ABCDEFGHI", IdType.PASSPORT),
        ("A123456789", IdType.PASSPORT),
        ("E1234 678", IdType.PASSPORT),
        ("H1234567801", IdType.HK_MACAO_PERMIT),
        ("C12345678", IdType.HK_MACAO_PERMIT),
        ("1234567", IdType.TAIWAN_PERMIT),
        ("11010519491231002X", IdType.RESIDENCE_CARD),
        ("", IdType.PASSPORT),
    ],
)
def test_refusal__no_number_of_such_a_document(value, kind):
    assert "form of one (" in identifiers.refusal(value, kind)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "form"),
        ("11010519491231002x", "form"),
        ("110105194912310021", "check character"),
        ("11010519491331002X", "date of birth"),
        ("11010519490229002X", "date of birth"),
        ("99010519491231002X", "form"),
        ("1101051949123100", "form"),
        ("１1010519491231002X", "form"),
        ("11010519491231002X\n", "form"),
    ],
)
def test_refusal__no_identity_number(value, why):
    assert why in identifiers.refusal(value, Format.ID_NUMBER)


@given(st.integers(0, 16), st.integers(1, 9))
def test_refusal__one_wrong_digit_is_always_noticed(place, shift):
    number = "11010519491231002X"
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]

    assert identifiers.refusal(wrong, Format.ID_NUMBER) != ""


def test_warning__credit_code_in_order():
    assert identifiers.refusal("91350100M000100Y43", Format.CREDIT_CODE) == ""
    assert identifiers.warning("91350100M000100Y43", Format.CREDIT_CODE) == ""


@pytest.mark.parametrize(("code", "computed"), [("91350100M0001TGQXM", "1"), ("91350203M0001FUE2P", "J")])
def test_warning__credit_codes_of_the_early_pilot_are_not_refused(code, computed):
    assert identifiers.refusal(code, Format.CREDIT_CODE) == ""
    assert f"should be {computed}" in identifiers.warning(code, Format.CREDIT_CODE)


@pytest.mark.parametrize(
    "value", ["", "91350100M000100Y4", "91350100M000100I43", "91350100m000100y43", "9135010OM000100Y43", "913501ABM000100Y43"]
)
def test_refusal__no_credit_code(value):
    assert "form of a credit code" in identifiers.refusal(value, Format.CREDIT_CODE)
    assert identifiers.warning(value, Format.CREDIT_CODE) == ""


@pytest.mark.parametrize("value", ["13800138000", "+86 13800138000", "0731-82345678", "010-12345678-123"])
def test_refusal__telephone(value):
    assert identifiers.refusal(value, Format.PHONE) == ""


@pytest.mark.parametrize("value", ["", "12345678901", "1380013800", "call me", "82345678"])
def test_refusal__no_telephone(value):
    assert identifiers.refusal(value, Format.PHONE) != ""


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 1949 1231 002x",
        "\u3000110105\u00a019491231 002X\t",
        "\u202a11010519491231002X\u202c",
        "\ufeff11010519491231002X\u200b",
        "1101051949\u200b1231\u00ad002X",
    ],
)
def test_normal__however_it_was_typed_or_copied(typed):
    assert identifiers.normal(typed) == "11010519491231002X"


def test_normal__says_nothing_that_was_not_typed():
    assert identifiers.normal("110105-19491231-002X") == "110105-19491231-002X"
