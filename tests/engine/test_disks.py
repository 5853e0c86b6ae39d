"""Disks: whoever gave a command is told which path it is, and what is the matter; a client of a node is told what, and its log where."""

import errno
import os
import tempfile
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine import disks
from engine.errors import InvalidInput, Unavailable


def fault(number, *names):
    return OSError(number, os.strerror(number), *names)


def test_named__a_missing_folder(tmp_path):
    with (
        pytest.raises(InvalidInput, match=f"^Expected to read or write {tmp_path}/none/x, but there is no such file or folder$"),
        disks.named(),
    ):
        (tmp_path / "none" / "x").write_text("")


def test_named__a_file_instead_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(InvalidInput, match=f"^Expected to make {tmp_path}/file/x, but there is a file where a folder should be$"),
        disks.named(to="make"),
    ):
        (tmp_path / "file" / "x").mkdir()


def test_named__a_folder_instead_of_a_file(tmp_path):
    with pytest.raises(InvalidInput, match=f"^Expected to read or write {tmp_path}, but it is a folder$"), disks.named():
        tmp_path.read_bytes()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_named__not_permitted(number):
    with pytest.raises(InvalidInput, match=r"^Expected to read or write /x, but this account is not permitted to$"), disks.named():
        raise fault(number, "/x")


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "there is no room left on the disk"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EIO, r"the disk does not answer \(Input/output error\)"),
    ],
)
def test_named__what_passes(tmp_path, number, says):
    """It says so, and where, although what is written to a file that is open does not tell its name."""
    with pytest.raises(Unavailable, match=f"^Expected to read or write {tmp_path}, but {says}; try again later$"), disks.named(tmp_path):
        raise fault(number)


def test_named__a_disk_without_room():
    with (
        pytest.raises(Unavailable, match=r"^Expected to read or write /dev/full, but there is no room left on the disk"),
        disks.named(Path("/dev/full")),
    ):
        Path("/dev/full").write_bytes(b"x")


def test_named__no_place_for_temporary_files(monkeypatch):
    """All that might be one are full, or read-only; Python says of it that there is no such file."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/dev/full", "/proc"])

    with pytest.raises(Unavailable, match=r"but no folder takes temporary files \(TMPDIR\); try again later$"), disks.named():
        tempfile.mkstemp()


def test_named__a_copy():
    with pytest.raises(Unavailable, match=r"^Expected to read or write /here → /there, but"), disks.named():
        raise fault(errno.ENOSPC, "/here", None, "/there")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPIPE, errno.EADDRINUSE])
def test_named__what_is_of_no_file(number):
    """A port that one may not have, or a reader that has gone, is no disk's fault."""

    with pytest.raises(OSError, check=lambda error: error.errno == number), disks.named():
        raise fault(number)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "there is no room left on the disk"),
        (errno.EACCES, "this account is not permitted to"),
        (errno.EMFILE, "this process has as many files open as it may"),
        (errno.EFBIG, "it would be larger than files may be there, or for this process (ulimit -f)"),
        (errno.ETIMEDOUT, "the disk does not answer (Connection timed out)"),
    ],
)
def test_told__to_a_client(number, says):
    """What is inside is nobody's business; the operator finds it in the log."""
    with capture_logs() as logged, pytest.raises(Unavailable) as told, disks.told():
        raise fault(number, "/srv/materials/x")

    assert told.value.message == f"Expected this node to read or write a file, but {says}; try again later"
    assert [line["place"] for line in logged] == ["/srv/materials/x"]


def test_told__what_is_no_fault_of_a_disk():
    with pytest.raises(FileNotFoundError), disks.told():
        raise fault(errno.ENOENT, "/x")
