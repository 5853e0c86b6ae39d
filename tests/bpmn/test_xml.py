"""Bytes from outside become a tree, or a finding; nothing else."""

from __future__ import annotations

import re

import pytest

from bpmn import forms, xml
from bpmn.errors import DocumentError

PLAIN = '<?xml version="1.0"?>\n<a>\n  <b name="受理"/>\n</a>'

BOMB = '<!DOCTYPE a [<!ENTITY x "ha">' + "".join(
    f'<!ENTITY x{i} "&x{i - 1 if i else ""};{"&x" + str(i - 1) + ";" if i else "&x;"}">' for i in range(30)
)

HOSTILE = {
    "external entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "external entity over http": '<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><a>&x;</a>',
    "entity bomb": BOMB + "]><a>&x29;</a>",
    "entity bomb in an attribute": BOMB + ']><a b="&x29;"/>',
    "quadratic entities": f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}">]><a>{"&x;" * 5_000}</a>',
    "entity that contains itself": '<!DOCTYPE a [<!ENTITY x "&y;"><!ENTITY y "&x;">]><a>&x;</a>',
    "parameter entity": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><a/>',
    "external DTD": '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    "public DTD": '<!DOCTYPE a PUBLIC "-//X//Y" "http://127.0.0.1:9/a.dtd"><a/>',
    "default attribute": '<!DOCTYPE a [<!ATTLIST a b CDATA "x">]><a/>',
    "DOCTYPE alone": "<!DOCTYPE a><a/>",
    "undeclared entity": "<a>&x;</a>",
    "empty": "",
    "blank": "  \n ",
    "text": "Sehr geehrte Damen und Herren",
    "JSON": '{"id": "form"}',
    "cut off": "<a><b></b>",
    "two roots": "<a/><b/>",
    "crossed tags": "<a><b></a></b>",
    "NUL": "<a>\0</a>",
    "control character": "<a>\x01</a>",
    "undeclared prefix": "<x:a/>",
    "attribute twice": '<a b="1" b="2"/>',
    "nested deep": "<a>" * 5_000 + "</a>" * 5_000,
    "lone surrogate": "<a>&#xD800;</a>",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_parse__hostile(content):
    with pytest.raises(DocumentError) as refusal:
        xml.parse(content.encode(), "x.bpmn")

    (finding,) = refusal.value.findings
    assert (finding.severity, finding.resource) == ("error", "x.bpmn")
    assert re.match(r"Expected .+, but ", finding.message)


@pytest.mark.parametrize("name", ["DOCTYPE alone", "external DTD", "public DTD", "default attribute", "external entity"])
def test_parse__any_doctype(name):
    with pytest.raises(DocumentError, match="no DOCTYPE") as refusal:
        xml.parse(HOSTILE[name].encode(), "x.bpmn")

    assert refusal.value.findings[0].rule == "doctype"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_parse__a_doctype_tells_its_line(encoding):
    content = '<?xml version="1.0"?>\n<!-- 受理 -->\n\n<!DOCTYPE a [\n<!ENTITY x "y">]>\n<a/>'

    with pytest.raises(DocumentError) as refusal:
        xml.parse(content.encode(encoding), "x.bpmn")

    assert refusal.value.findings[0].line == 4


def test_parse__too_many_attributes_tell_their_line():
    attributes = " ".join(f'a{number}=""' for number in range(201))

    with pytest.raises(DocumentError, match="at most 200 attributes") as refusal:
        xml.parse(f"<a>\n<b/>\n<c {attributes}/></a>".encode(), "x.bpmn")

    assert refusal.value.findings[0].line == 3


def test_parse__malformed_tells_line_and_column():
    with pytest.raises(DocumentError) as refusal:
        xml.parse(b"<a>\n  <b>\n  </a>\n", "x.bpmn")

    (finding,) = refusal.value.findings
    assert (finding.line, finding.column > 0) == (3, True)
    assert "a tag is not closed (line 3" in finding.message


DRAWN = """<?xml version="1.0" encoding="UTF-8"?>
<a xmlns:x="urn:x">
  <b name="受理" id="b"/>
</a>
"""


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", 1, "it is empty (空文件)"),
        (b"\xef\xbb\xbf \n", 1, "it is empty (空文件)"),
        (b"<!DOCTYPE html>\n<html><body><br></body></html>", 1, "it is a web page (网页)"),
        (b'{"id": "form"}', 1, "it is JSON, as forms are"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 1, "it is a picture (图片)"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", 1, "it is a picture (图片)"),
        (b"PK\x03\x04\x14", 1, "it is an archive, or a document of an office program"),
        (b"%PDF-1.7", 1, "it is a PDF"),
        ("受理".encode(), 1, "it does not begin with <"),
        (DRAWN.encode("gb18030"), 3, "it says that it is UTF-8, but is saved in another encoding, such as GBK (编码)"),
        (
            DRAWN.replace("UTF-8", "GBK9").encode(),
            1,
            "its first line says that it is GBK9, which it is not (编码) (line 1, column 36): write enc",
        ),
        (DRAWN.encode()[:-9], 3, "it is cut off (不完整)"),
        (DRAWN.encode()[:-3], 4, "it is cut off (不完整)"),
        (DRAWN.replace("  <b", "<<<<<<< HEAD\n  <b").encode(), 3, "it holds two versions that nobody has merged (合并冲突)"),
        (DRAWN.replace("受理", "受理&出件").encode(), 3, "write &amp; for &"),
        (DRAWN.replace("受理", "&nbsp;").encode(), 3, "a blank for &nbsp;"),
        (DRAWN.replace("受理", "a<b").encode(), 3, "a < stands in a text"),
        (DRAWN.replace('"b"', "“b”").encode(), 3, 'write "…", not “…”'),
        (DRAWN.replace("id=", "name=").encode(), 3, "an attribute stands twice on one element"),
        (DRAWN.replace("id=", "y:id=").encode(), 3, "it has a prefix that is not declared"),
        (DRAWN.replace("受", "\x01").encode(), 3, "it has a character that XML cannot hold"),
        (DRAWN.replace("<b", "<c>\n<b").encode(), 5, "close c of line 3, or take"),
        ((DRAWN + DRAWN).encode(), 5, "remove what stands before it, or the second copy"),
        ((DRAWN + "<a/>").encode(), 5, "something follows the end of the diagram"),
    ],
)
def test_parse__says_in_plain_words_what_is_wrong(content, line, words):
    with pytest.raises(DocumentError) as refusal:
        xml.parse(content, "x.bpmn")

    (finding,) = refusal.value.findings
    assert (finding.line, words in finding.message) == (line, True), finding.message


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b" \n", 1, "it is empty (空文件)"),
        (DRAWN.encode(), 1, "it is XML, as diagrams and tables are"),
        (b"<html>", 1, "it is a web page (网页)"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 1, "it is a picture (图片)"),
        ('{\n"id": "受理"}'.encode("gb18030"), 2, "is no UTF-8: save it as UTF-8"),
        (b'{\n"id": ', 2, "line 2, column 7 cannot be read"),
    ],
)
def test_parse_form__says_in_plain_words_what_is_wrong(content, line, words):
    with pytest.raises(DocumentError) as refusal:
        forms.parse_form(content, "x.form")

    (finding,) = refusal.value.findings
    assert (finding.rule, finding.line, words in finding.message) == ("not-a-form", line, True), finding.message


def test_parse__too_large():
    with pytest.raises(DocumentError, match=r"at most 5,000,000 bytes, but it has 20,000,007"):
        xml.parse(b"<a>" + b"x" * 20_000_000 + b"</a>", "x.bpmn")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_parse__encodings(encoding):
    bom = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")

    root = xml.parse(bom + PLAIN.encode(encoding), "x.bpmn")

    assert root[0].get("name") == "受理"


def test_parse__declared_encoding():
    content = '<?xml version="1.0" encoding="GB18030"?><a name="受理"/>'

    root = xml.parse(content.encode("gb18030"), "x.bpmn")

    assert root.get("name") == "受理"


@pytest.mark.parametrize(
    ("declared", "written"),
    [("UTF-8", "gb18030"), ("UTF-16", "utf-8"), ("no-such-encoding", "utf-8")],
    ids=["wrong", "not UTF-16", "unknown"],
)
def test_parse__wrong_encoding(declared, written):
    content = f'<?xml version="1.0" encoding="{declared}"?><a name="受理窗口"/>'

    with pytest.raises(DocumentError, match=r"Expected to read x\.bpmn as XML"):
        xml.parse(content.encode(written), "x.bpmn")


def test_parse__includes_and_instructions_are_inert(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    content = (
        f'<?xml-stylesheet href="{secret.as_uri()}"?><a xmlns:xi="http://www.w3.org/2001/XInclude" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a {secret.as_uri()}">'
        f'<!-- {secret} --><xi:include href="{secret.as_uri()}" parse="text"/></a>'
    )

    root = xml.parse(content.encode(), "x.bpmn")

    assert "SECRET" not in "".join(map(str, root.itertext()))
    assert [child.tag for child in root] == ["{http://www.w3.org/2001/XInclude}include"]
