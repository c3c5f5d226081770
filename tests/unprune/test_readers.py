"""Damaged files are refused in one line, at no cost, by every reader; and a reader that breaks its word is found."""

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hdl.files import read_json
from unprune.verify import readers
from unprune.verify.readers import KINDS, fuzz

JSON = next(kind for kind in KINDS if kind.name == "JSON")


def test_damaged_files_are_refused_in_one_line_or_give_what_is_sound(tmp_path: Path) -> None:
    tallies = list(fuzz(tmp_path, 60))
    assert [one.kind for one in tallies] == [kind.name for kind in KINDS]
    assert [violation for one in tallies for violation in one.violations] == []
    assert all(one.files == 60 and one.refused >= 5 for one in tallies)


@pytest.mark.slow
def test_more_than_a_hundred_thousand_damaged_files_and_every_cut_and_bit(tmp_path: Path) -> None:
    tallies = list(fuzz(tmp_path, 7000, seed=1, everywhere=True))
    assert [violation for one in tallies for violation in one.violations] == []
    assert sum(one.files for one in tallies) > 100_000
    assert sum(one.refused for one in tallies) > 90_000


def crashes(path: Path) -> object:
    return {}["x"] if b"[" not in path.read_bytes() else read_json(path)


def says_two_lines(path: Path) -> object:
    try:
        return read_json(path)
    except ValueError as error:
        raise JSON.refusal(f"{path}\n{error}") from None


def takes_memory(path: Path) -> object:
    np.ones(readers.MOST_MEMORY + 1, np.uint8)
    return read_json(path)


def takes_time(path: Path) -> object:
    time.sleep(0.01)
    return read_json(path)


def takes_anything(path: Path) -> object:
    return path.read_bytes()


def leaves_a_file(path: Path) -> object:
    path.with_suffix(".part").touch()
    return read_json(path)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (crashes, "JSON, number .*: KeyError: .*"),
        (says_two_lines, "JSON, number .*: the message is not one line that names the file: .*"),
        (takes_memory, "JSON, number .*: took 8.* bytes"), (takes_time, "JSON, number .*: took 0 s"),
        (takes_anything, "JSON, number .*: was taken for good"), (leaves_a_file, "JSON: a.part is left"),
    ],
)
def test_a_reader_that_breaks_its_word_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Any, message: str) -> None:
    monkeypatch.setattr(readers, "MOST_SECONDS", 0.009 if read is takes_time else 10)
    (tally,) = fuzz(tmp_path, 50, kinds=[replace(JSON, read=read)])
    assert tally.violations
    assert all(re.fullmatch(message, one) for one in tally.violations)


def test_the_same_seed_damages_alike() -> None:
    good = b"{'shape': (3, 4)}       " * 9
    for kind in KINDS:
        one, same, other = ([content for _, content in readers._damages(kind, good, 20, seed, False)] for seed in (1, 1, 2))
        assert one == same != other


def test_the_table_is_written_with_its_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "KINDS", [JSON])
    assert readers.main(["--files", "9", "-o", str(tmp_path / "rows.json")]) == 0
    (row,) = read_json(tmp_path / "rows.json")["rows"]
    assert (row["name"], row["value"], row["unit"], row["bar"], row["met"]) == ("damaged files, JSON", 0, "violations", 0, True)
    assert "JSON" in capsys.readouterr().out
