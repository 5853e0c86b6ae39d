"""Numbers that identify people and organisations: resident identity number (公民身份号码), credit code (统一社会信用代码), telephone."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from enum import StrEnum

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
#: GB/T 2260 provinces, and 81–83 of the residence permits for Hong Kong, Macao and Taiwan.
_PROVINCES = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
#: GB 32100: no I, O, S, V, Z.
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT = re.compile(rf"[{_CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{_CREDIT_ALPHABET}]{{10}}")
#: What comes along when a number is typed in groups, or copied from a table or a chat: blanks, and marks that nobody sees.
_BETWEEN = re.compile(r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+")
_PHONE = re.compile(r"(?:\+86[ -]?)?(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?)")


class Format(StrEnum):
    """Formats that a form field may ask for (`onething.format`)."""

    ID_NUMBER = "id_number"
    CREDIT_CODE = "credit_code"
    PHONE = "phone"


def normal(typed: str) -> str:
    """Give such a number as it is kept, however somebody has typed it: in full-width characters, with a small x, in groups, copied."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", typed)).upper()


def refusal(value: str, kind: Format) -> str:
    """Say why a text cannot be such a number (“but …”); empty when it can."""
    return _REFUSALS[kind](value)


def warning(value: str, kind: Format) -> str:
    """Say why a number that is not refused should be looked up in its register; empty when there is no reason to."""
    if kind is Format.CREDIT_CODE and not refusal(value, kind) and credit_check(value) != value[-1]:
        return f"its check character should be {credit_check(value)}: codes of the early pilot differ, look it up in the register"
    return ""


def id_check(value: str) -> str:
    """Check character of an identity number (GB 11643), computed from its first 17 digits."""
    return _ID_CHECKS[sum(int(digit) * weight for digit, weight in zip(value[:17], _ID_WEIGHTS, strict=True)) % 11]


def credit_check(value: str) -> str:
    """Check character of a credit code (GB 32100), computed from its first 17 characters."""
    total = sum(_CREDIT_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(value[:17]))
    return _CREDIT_ALPHABET[-total % 31]


def _refuse_id(value: str) -> str:
    if not _ID.fullmatch(value) or not _PROVINCES.match(value):
        return "it has not the form of an identity number (17 digits and a digit or X)"
    try:
        dt.date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return "its date of birth is none of the calendar"
    return "" if id_check(value) == value[-1] else "its check character is wrong"


def _refuse_credit(value: str) -> str:
    """Refuse by form only: codes of the early pilot fail the check and are valid all the same."""
    return "" if _CREDIT.fullmatch(value) else "it has not the form of a credit code (18 digits and capitals without I, O, S, V, Z)"


def _refuse_phone(value: str) -> str:
    return "" if _PHONE.fullmatch(value) else "it is not a mobile number, nor a fixed one with its area code"


_REFUSALS = {Format.ID_NUMBER: _refuse_id, Format.CREDIT_CODE: _refuse_credit, Format.PHONE: _refuse_phone}
