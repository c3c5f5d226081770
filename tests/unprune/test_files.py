"""What stands under its final name is whole, whatever happens on the way."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from unprune.files import MARKER, new_folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def make(folder: Path, **files: str) -> None:
    with new_folder(folder) as part:
        for name, text in files.items():
            (part / name).write_text(text)


def test_a_new_folder_appears_whole_with_its_parents_and_its_marker(tmp_path):
    target = tmp_path / "out" / "demo"
    with new_folder(target) as part:
        assert part.parent == target.parent
        assert not target.exists()
        (part / "deep").mkdir()
        (part / "deep" / "b").write_text("b")
        (part / "a").write_text("a")
    assert names(target) == [MARKER, "a", "deep", "deep/b"]
    assert [line[66:] for line in (target / MARKER).read_text().splitlines()[1:]] == ["a", "deep/b"]
    checked = subprocess.run(["sha256sum", "--check", "--strict", MARKER], cwd=target, capture_output=True, text=True, check=True)
    assert checked.stdout == "a: OK\ndeep/b: OK\n"
    assert names(tmp_path / "out") == ["demo", f"demo/{MARKER}", "demo/a", "demo/deep", "demo/deep/b"]


def test_an_empty_folder_and_an_earlier_output_are_replaced_as_a_whole(tmp_path):
    target = tmp_path / "demo"
    target.mkdir()
    make(target, first="1")
    make(target, second="2")
    assert names(tmp_path) == ["demo", f"demo/{MARKER}", "demo/second"]


def interrupted(folder: Path, error: type[BaseException]) -> None:
    with new_folder(folder) as part:
        (part / "half").write_text("")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_earlier_output_survives_a_run_that_ends_early(tmp_path, error):
    target = tmp_path / "demo"
    make(target, good="1")
    with pytest.raises(error):
        interrupted(target, error)
    assert names(tmp_path) == ["demo", f"demo/{MARKER}", "demo/good"]


def test_an_earlier_output_comes_back_when_the_last_rename_fails(tmp_path, monkeypatch):
    target = tmp_path / "demo"
    make(target, good="1")
    rename = Path.rename

    def fail_for_the_new(self, to):
        if self.name.endswith(".part"):
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(KeyboardInterrupt):
        make(target, new="2")
    assert names(tmp_path) == ["demo", f"demo/{MARKER}", "demo/good"]


def refused(target: Path, why: str) -> None:
    """The block of new_folder is not entered, and the message is one line that says why."""
    with pytest.raises(FileExistsError, match=f"^the output folder {re.escape(str(target))} {why}; choose another$"), new_folder(target):
        pytest.fail("entered")


def test_a_folder_that_unprune_did_not_write_is_refused_and_kept(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    refused(tmp_path / "mine", "exists and was not written by unprune")
    assert names(tmp_path) == ["mine", "mine/thesis.tex"]


def test_an_earlier_output_with_a_foreign_file_is_refused_and_kept(tmp_path):
    make(tmp_path / "demo", good="1")
    (tmp_path / "demo" / "sub").mkdir()
    (tmp_path / "demo" / "sub" / "notes").write_text("mine")
    refused(tmp_path / "demo", "holds 'sub/notes', which unprune did not write")
    assert (tmp_path / "demo" / "sub" / "notes").read_text() == "mine"


def test_a_folder_that_becomes_foreign_during_the_run_is_refused_at_the_end(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("mine")
    with pytest.raises(FileExistsError, match="was not written by unprune"), new_folder(tmp_path / "demo"):
        (tmp_path / "mine").rename(tmp_path / "demo")
    assert names(tmp_path) == ["demo", "demo/notes"]


def test_a_file_the_current_folder_and_what_holds_it_are_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file", "exists and is not a folder")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    refused(tmp_path / "here", "is the current folder or holds it")
    refused(tmp_path, "is the current folder or holds it")


def test_a_link_to_a_folder_stays_and_its_target_is_replaced(tmp_path):
    make(tmp_path / "real", first="1")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    make(tmp_path / "link", second="2")
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "real") == [MARKER, "second"]


def test_ctrl_c_in_a_real_process_leaves_the_earlier_output_alone(tmp_path):
    target = tmp_path / "demo"
    make(target, good="1")
    script = f"""
import time
from unprune.files import new_folder
with new_folder({str(target)!r}) as part:
    (part / "half").write_text("")
    print("ready", flush=True)
    time.sleep(60)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert any(name.endswith(".part/half") for name in names(tmp_path))
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) != 0
    assert names(tmp_path) == ["demo", f"demo/{MARKER}", "demo/good"]
