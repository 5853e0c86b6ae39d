"""Uploaded files: stored once, durable, and only what they claim to be."""

import errno
import hashlib
import io
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine import disks, files
from engine.errors import InvalidInput, NotFound, Unavailable
from engine.files import FileStore
from tests import documents
from tests.documents import DOCX, GOOD, JPEG, OFD, PDF, PNG, package


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "materials")


def keep(store, content, name):
    return store.keep(io.BytesIO(content), name)


def kept(store):
    return [path for path in store.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", GOOD)
def test_keep__allowed(store, name):
    stored = keep(store, GOOD[name], name)

    sha256 = hashlib.sha256(GOOD[name]).hexdigest()
    assert (stored.sha256, stored.size, stored.filename) == (sha256, len(GOOD[name]), name)
    assert store.path(sha256).read_bytes() == GOOD[name]
    assert store.path(sha256) == store.folder / sha256[:2] / sha256[2:4] / sha256


def test_keep__same_content_again(store):
    first = keep(store, PDF, "plan.pdf")

    again = keep(store, PDF, "copy.pdf")

    assert again.sha256 == first.sha256
    assert len(kept(store)) == 1


def test_keep__what_has_rotted_meanwhile(store):
    """Who hands it in again, as he was asked to, has it stored."""
    stored = keep(store, PDF, "plan.pdf")
    store.path(stored.sha256).write_bytes(b"rotten")

    keep(store, PDF, "plan.pdf")

    assert store.path(stored.sha256).read_bytes() == PDF
    assert len(kept(store)) == 1


def test_keep__same_content_at_once(store):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: keep(store, PDF, f"{n}.pdf"), range(20)))

    assert len(kept(store)) == 1


def test_keep__folders_before_the_name(store):
    assert keep(store, PDF, "C:\\Users\\me\\plan.pdf").filename == "plan.pdf"
    assert keep(store, PDF, "../../etc/plan.pdf").filename == "plan.pdf"


BOMB = package("OFD.xml", content=b"\0" * 5_000_000, compression=zipfile.ZIP_DEFLATED)
BAD = {
    "nothing": (b"", "a.pdf"),
    "text": (b"hello", "a.pdf"),
    "html": (b"<!DOCTYPE html><script>alert(1)</script>", "a.pdf"),
    "html that calls itself pdf": (b"<html>%PDF-1.4 %%EOF", "a.pdf"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.png"),
    "script": (b"#!/bin/sh\nrm -rf /", "a.pdf"),
    "program": (b"MZ" + b"\0" * 100, "a.pdf"),
    "gif": (b"GIF89a" + b"\0" * 100, "a.png"),
    "markup at the beginning of a jpeg": (JPEG[:20] + b"<script>alert(1)</script>" + JPEG[20:], "a.jpg"),
    "markup in a pdf": (b"%PDF-1.4\n<html><script>1</script>\n%%EOF", "a.pdf"),
    "pdf that runs something": (PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), "a.pdf"),
    "pdf not from the first byte": (b"\n\n" + PDF, "a.pdf"),
    "pdf with more behind": (PDF + b"<script>", "a.pdf"),
    "pdf without end": (PDF[:60], "a.pdf"),
    "png and zip": (PNG + package("OFD.xml"), "a.png"),
    "png cut off": (PNG[:-4], "a.png"),
    "jpeg and zip": (JPEG + package("a.txt"), "a.jpg"),
    "jpeg cut off": (JPEG[:-2], "a.jpg"),
    "pdf and zip": (PDF + package("a.txt"), "a.pdf"),
    "zip of something": (package("a.txt"), "a.ofd"),
    "zip of two kinds": (package("OFD.xml", "word/document.xml"), "a.ofd"),
    "zip with more behind": (OFD + b"more", "a.ofd"),
    "zip with more before": (b"PK\3\4more" + OFD, "a.ofd"),
    "zip cut off": (OFD[:-30], "a.ofd"),
    "macros": (package("word/document.xml", "word/vbaProject.bin"), "a.docx"),
    "web page in a package": (package("OFD.xml", "index.html"), "a.ofd"),
    "bomb": (BOMB, "a.ofd"),
    "pdf that calls itself png": (PDF, "a.png"),
    "docx that calls itself xlsx": (DOCX, "a.xlsx"),
    "no extension": (PDF, "plan"),
    "two extensions": (PDF, "plan.pdf.exe"),
    "no name": (PDF, ""),
    "folder alone": (PDF, "a/"),
    "name with a control character": (PDF, "a\nb.pdf"),
    "name too long": (PDF, "a" * 300 + ".pdf"),
}


@pytest.mark.parametrize("what", BAD)
def test_keep__refused(store, what):
    content, name = BAD[what]

    with pytest.raises(InvalidInput, match=r"^Expected") as refused:
        keep(store, content, name)

    assert refused.value.details["errors"][0]["field"] == "file"
    assert not store.folder.exists() or kept(store) == []


def test_keep__reading_breaks_off(store):
    class Broken(io.BytesIO):
        def read(self, *_):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        store.keep(Broken(), "plan.pdf")

    assert kept(store) == []


def test_clear_up__what_was_killed_on_the_way(store):
    """What may still be coming in stays, and so does what is a file."""
    keep(store, PDF, "plan.pdf")
    (file,) = kept(store)
    dead, alive = store.folder / "draft-1", store.folder / "draft-2"
    for path in (dead, alive):
        path.write_bytes(b"half")
    for path in (dead, file):
        os.utime(path, (0, 0))

    store.clear_up()
    store.clear_up()

    assert set(kept(store)) == {file, alive}


def test_clear_up__nothing_was_ever_handed_in(store):
    store.clear_up()

    assert not store.folder.exists()


def test_path__unknown(store):
    with pytest.raises(NotFound):
        store.path("0" * 64)


def test_documents__are_what_they_say():
    assert zipfile.is_zipfile(io.BytesIO(documents.XLSX))


def test_keep__whoever_put_it_there_died_before_it_was_durable(store, monkeypatch):
    """Who finds it there makes it durable: its row is committed next."""
    store.folder.mkdir()
    synced = []
    monkeypatch.setattr(disks, "sync", synced.append)
    keep(store, PDF, "plan.pdf")
    first = synced.copy()

    keep(store, PDF, "plan.pdf")

    assert synced == [*first, *first]
    assert len(first) == 3


def test_keep__the_first_of_all(tmp_path, monkeypatch):
    """A folder that was made a moment ago may be lost with the power, and all that lies in it."""
    synced = []
    monkeypatch.setattr(disks, "sync", synced.append)

    keep(files.FileStore(tmp_path / "data" / "materials"), PDF, "plan.pdf")

    assert {tmp_path, tmp_path / "data"} <= set(synced)


@pytest.mark.parametrize(("fault", "says"), [(errno.ENOSPC, "no room left"), (errno.EROFS, "read-only"), (errno.EIO, "Input/output error")])
def test_keep__disk_is_in_the_way(store, monkeypatch, fault, says):
    """Nothing is left behind, and the next one is stored."""

    def fail(_descriptor):
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", fail)
        with pytest.raises(Unavailable, match=f"Expected this node to read or write a file, but .*{says}"):
            keep(store, PDF, "plan.pdf")

    assert kept(store) == []
    assert keep(store, PDF, "plan.pdf").size == len(PDF)
