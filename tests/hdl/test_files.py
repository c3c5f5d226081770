"""A file is whole or not there, and one that is not as it was written is refused in one line."""

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hdl.files import DamagedFileError, is_intact, read_json, read_npz, write_atomic, write_json, write_npz

VALUES = {"a": [1, 0.1, None, True], "é": {"b": "\n"}, "wide": 2**70}
ARRAYS = {"file": np.arange(6, dtype=np.uint8).reshape(2, 3), "<b>/..": np.zeros(0), "one": np.array(-1.5, np.float16)}


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize(("data", "stored"), [(b"\0\xff\r\n", b"\0\xff\r\n"), ("é\n", b"\xc3\xa9\n")])
def test_a_file_holds_the_bytes_or_the_text_as_utf_8(tmp_path, data, stored):
    write_atomic(tmp_path / "a", "an earlier and longer content")
    write_atomic(tmp_path / "a", data)
    assert (tmp_path / "a").read_bytes() == stored
    assert names(tmp_path) == ["a"]


def test_a_file_has_the_mode_that_any_new_file_has(tmp_path):
    (tmp_path / "plain").write_text("")
    write_atomic(tmp_path / "a", "")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_file_survives_a_failed_write_and_nothing_else_is_left(tmp_path, monkeypatch):
    write_atomic(tmp_path / "a", "good")

    def fail(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "good"
    assert names(tmp_path) == ["a"]


def test_a_file_is_written_through_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "a")
    write_atomic(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "a").read_text() == "x"


def test_a_folder_or_a_device_is_not_replaced_by_a_file(tmp_path):
    with pytest.raises(FileExistsError, match=r"must be a file or nothing yet, was a folder$"):
        write_atomic(tmp_path, "x")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match=r"must be a file or nothing yet, was a device or pipe$"):
        write_atomic(tmp_path / "pipe", "x")


@pytest.mark.parametrize("milliseconds", [3, 7, 20])
def test_a_process_that_is_killed_while_it_writes_leaves_the_old_file_or_the_new_one(tmp_path, milliseconds):
    script = """
import numpy as np
from hdl.files import write_npz
for number in range(1 << 20):
    write_npz("a.npz", {"a": np.full(1 << 16, number % 251, np.uint8)}, compress=False)
    print(number, flush=True)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=tmp_path, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"0\n"
        time.sleep(milliseconds / 1000)
        process.kill()
        written = int((b"0\n" + process.stdout.read()).split(b"\n")[-2])
    (found,) = set(read_npz(tmp_path / "a.npz")["a"].tolist())
    assert found in (written % 251, (written + 1) % 251)


def test_values_come_back_from_json_that_anyone_can_read(tmp_path):
    write_json(tmp_path / "a", VALUES)
    assert read_json(tmp_path / "a") == VALUES
    assert json.loads((tmp_path / "a").read_text()).items() >= VALUES.items()


@pytest.mark.parametrize("compress", [True, False])
def test_arrays_come_back_from_an_archive_that_anyone_can_read(tmp_path, compress):
    write_npz(tmp_path / "a.npz", ARRAYS, compress=compress)
    with np.load(tmp_path / "a.npz") as anyones:
        for arrays in (read_npz(tmp_path / "a.npz"), anyones):
            assert list(arrays) == list(ARRAYS)
            for name, array in ARRAYS.items():
                assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
                np.testing.assert_array_equal(arrays[name], array)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED}


def test_the_same_values_are_the_same_bytes_and_an_archive_of_someone_else_carries_no_checksum(tmp_path):
    for name in ("a", "b"):
        write_npz(tmp_path / name, ARRAYS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    np.savez(tmp_path / "c.npz", a=np.zeros(99))
    for name, intact in (("a", True), ("c.npz", None)):
        with (tmp_path / name).open("rb") as file:
            assert is_intact(file) is intact
            assert file.tell() == 0


def test_python_objects_are_not_written_and_leave_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"^Object arrays cannot be saved when allow_pickle=False$"):
        write_npz(tmp_path / "a", {"a": np.array([None])})
    assert names(tmp_path) == []


def test_a_file_that_is_missing_is_not_called_damaged(tmp_path):
    for read in (read_json, read_npz):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none")


def test_another_version_or_another_form_is_refused_in_one_line(tmp_path):
    path = tmp_path / "a"
    write_npz(path, ARRAYS)
    later = path.read_bytes().replace(b"unprune 1 ", b"unprune 2 ")
    for content in (later, b"", b"{}", b"[1]", b"3", b"[" * 99999, b'{"checksum": "sha256:"}'):
        path.write_bytes(content)
        for read in (read_json, read_npz):
            with pytest.raises(DamagedFileError) as caught:
                read(path)
            line = f"{re.escape(str(path))}: is damaged, cut short or not of this version of unprune, by its checksum; make it again"
            assert re.fullmatch(line, str(caught.value))
