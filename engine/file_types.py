"""Types of files (文件类型): an allow-list, recognised by content.  The whole file must be of the one type, not its beginning alone."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import filetype  # type: ignore[import-untyped]

from engine.errors import InvalidInput

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
OFD = "application/ofd"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: What may be handed in, and the extensions it may have.
EXTENSIONS = {PDF: {"pdf"}, PNG: {"png"}, JPEG: {"jpg", "jpeg"}, OFD: {"ofd"}, DOCX: {"docx"}, XLSX: {"xlsx"}}
#: The member that tells one kind of ZIP from another.
_MEMBERS = {"OFD.xml": OFD, "word/document.xml": DOCX, "xl/workbook.xml": XLSX}
_ACTIVE_MEMBER = re.compile(r"vbaproject\.bin$|\.(html?|svg|js|vbs|exe|dll|bat|sh|php)$", re.IGNORECASE)
#: A browser that guesses reads about so far, and would run this.
_SNIFFED = 1024
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|iframe|\?php|%)", re.IGNORECASE)
_PDF_ACTION = re.compile(rb"/(JavaScript|JS|Launch|RichMedia)\b")
#: Unpacked it may be so many times as large as it is (a bomb is thousands), and have so many members.
_RATIO, _MEMBERS_AT_MOST = 200, 5000


def recognise(path: Path, filename: str) -> str:
    """Give the media type of a file.  Raises InvalidInput: not taken, damaged, two things at once, or another than its name says."""
    with path.open("rb") as file:
        head = file.read(_SNIFFED)
    if not head:
        raise _refused("Expected a PDF, OFD, PNG, JPEG, DOCX or XLSX, but the file is empty")
    found = _FAMILIES.get(filetype.guess_mime(head) or "")
    if found is None or _MARKUP.search(head):
        raise _refused("Expected a PDF, OFD, PNG, JPEG, DOCX or XLSX, but the content is none of them")
    media_type = found(path)
    extension = filename.rpartition(".")[2].lower()
    if extension not in EXTENSIONS[media_type]:
        raise _refused(f"Expected a name that ends in .{min(EXTENSIONS[media_type])}, as the content says, but it is {filename!r}")
    return media_type


def _pdf(path: Path) -> str:
    content = path.read_bytes()
    end = content.rfind(b"%%EOF")
    if not content.startswith(b"%PDF-") or end < 0 or content[end + 5 :].strip(b"\r\n \0") or zipfile.is_zipfile(path):
        raise _refused("Expected a PDF from the first byte to the last, but there is something else in the file")
    if _PDF_ACTION.search(content):
        raise _refused("Expected a PDF that only shows something, but this one runs something (JavaScript, Launch)")
    return PDF


def _png(path: Path) -> str:
    content, place, name = path.read_bytes(), 8, b""
    while name != b"IEND" and place + 12 <= len(content):
        length, name = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        place += 12 + length
    if name != b"IEND" or place != len(content):
        raise _refused("Expected a PNG from the first byte to the last, but it is cut off, or something else follows")
    return PNG


def _jpeg(path: Path) -> str:
    content = path.read_bytes()
    if not content.rstrip(b"\0").endswith(b"\xff\xd9") or zipfile.is_zipfile(path):
        raise _refused("Expected a JPEG from the first byte to the last, but it is cut off, or something else follows")
    return JPEG


def _package(path: Path) -> str:
    """Tell the kinds of ZIP apart: OFD, DOCX, XLSX."""
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
            first = min((member.header_offset for member in members), default=-1)
            whole = first == 0 and _end_of(path) == size and not package.comment
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise _refused(f"Expected a whole OFD, DOCX or XLSX, but {error}") from None
    names = {member.filename for member in members}
    kinds = [kind for name, kind in _MEMBERS.items() if name in names]
    if not whole or len(kinds) != 1:
        raise _refused("Expected an OFD, DOCX or XLSX from the first byte to the last, but it is another archive")
    if len(members) > _MEMBERS_AT_MOST or sum(member.file_size for member in members) > _RATIO * size:
        raise _refused("Expected a document of ordinary size, but unpacked it would be enormous")
    if any(_ACTIVE_MEMBER.search(name) for name in names):
        raise _refused("Expected a document that only shows something, but this one holds macros or scripts")
    return kinds[0]


def _end_of(path: Path) -> int:
    """Give the place where the archive ends: its last record is 22 bytes long when it has no comment."""
    content = path.read_bytes()
    place = content.rfind(b"PK\5\6")
    return place + 22 if place >= 0 else -1


def _refused(message: str) -> InvalidInput:
    return InvalidInput.of_field("file", message)


_FAMILIES: dict[str, Callable[[Path], str]] = {
    PDF: _pdf,
    PNG: _png,
    JPEG: _jpeg,
    "application/zip": _package,
    DOCX: _package,
    XLSX: _package,
}
