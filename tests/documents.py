"""Small real files of every kind that may be handed in, and some that may not."""

import io
import struct
import zipfile
import zlib

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\xff\xdb\x00C\x00" + b"\x01" * 64 + b"\xff\xd9"


def _chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)


def package(*names, content=b"<x/>", compression=zipfile.ZIP_STORED):
    """A ZIP with these members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name in names:
            archive.writestr(name, content)
    return target.getvalue()


OFD = package("OFD.xml", "Doc_0/Document.xml")
DOCX = package("[Content_Types].xml", "_rels/.rels", "word/document.xml")
XLSX = package("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")
GOOD = {
    "plan.pdf": PDF,
    "photo.PNG": PNG,
    "photo.jpg": JPEG,
    "photo.jpeg": JPEG,
    "licence.ofd": OFD,
    "letter.docx": DOCX,
    "list.xlsx": XLSX,
}
