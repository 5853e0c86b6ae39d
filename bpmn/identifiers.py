"""Numbers that identify people and organisations: resident identity number (公民身份号码), credit code (统一社会信用代码), telephone."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from enum import StrEnum

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
#: GB/T 2260 provinces, behind a 9 on the cards of foreign permanent residents since 2023; 81–83 are the residence permits for Hong Kong,
#: Macao and Taiwan.
_PROVINCES = re.compile(r"9?(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])|71|8[1-3]")
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


class IdType(StrEnum):
    """Documents (证件类型) that identify a person who has no identity number.

    With one are, beside citizens, the residence permits for Hong Kong, Macao and Taiwan, and foreign permanent residents since 2023.
    """

    #: 护照.
    PASSPORT = "passport"
    #: 港澳居民来往内地通行证.
    HK_MACAO_PERMIT = "hk_macao_permit"
    #: 台湾居民来往大陆通行证.
    TAIWAN_PERMIT = "taiwan_permit"
    #: 外国人永久居留身份证, as it was until 2023.
    RESIDENCE_CARD = "residence_card"


def normal(typed: str) -> str:
    """Give such a number as it is kept, however somebody has typed it: in full-width characters, with a small x, in groups, copied."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", typed)).upper()


def refusal(value: str, kind: Format | IdType) -> str:
    """Say why a text cannot be such a number (“but …”); empty when it can."""
    if isinstance(kind, IdType):
        form, words = _FORMS[kind]
        return "" if form.fullmatch(value) else f"it has not the form of one ({words})"
    return _REFUSALS[kind](value)


def documents(value: str) -> list[IdType]:
    """Documents other than the identity card that a number may be of."""
    return [kind for kind in IdType if not refusal(value, kind)]


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
#: ICAO 9303 gives a passport nine places at most; letters alone are a name.
_FORMS = {
    IdType.PASSPORT: (re.compile(r"(?=(?:[A-Z]*[0-9]){5})[A-Z0-9]{7,9}"), "7 to 9 letters and digits"),
    IdType.HK_MACAO_PERMIT: (re.compile(r"[HM][0-9]{8}"), "H or M and 8 digits, without how often it was issued"),
    IdType.TAIWAN_PERMIT: (re.compile(r"[0-9]{8}"), "8 digits"),
    IdType.RESIDENCE_CARD: (re.compile(r"[A-Z]{3}[0-9]{12}"), "3 letters and 12 digits; with 18 digits it is an identity number"),
}
