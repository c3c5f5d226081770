"""The sweep over designs, and what is said when a figure moved."""

import json
from pathlib import Path

import pytest

from golden.catalog import CATALOG
from synth.cost import Cost
from synth.expected import moved, read_expected, stale, write_expected
from synth.figures import Figures, difference
from synth.sweep import main, sweep

FIRST = next(iter(CATALOG.values()))
COST = Cost("tiny", {"ice40": Figures("ice40", 19, 25, 0, 0, None, 2, {"SB_LUT4": 19, "SB_DFF": 25})}, None)


def test_costs_come_in_order_whatever_the_number_of_processes() -> None:
    designs = list(CATALOG.values())[:2]
    done: list[str] = []
    alone = sweep(designs, ("gates",), clock=False, fresh=True, progress=done.append)
    assert done == [cost.name for cost in alone] == [parameters.name for parameters in designs]
    assert sweep(designs, ("gates",), clock=False, fresh=True, jobs=2) == alone


def test_recorded_costs_are_read_back(tmp_path: Path) -> None:
    write_expected([COST], tmp_path / "expected.json")
    expected = read_expected(tmp_path / "expected.json")
    assert moved("tiny", expected, COST.to_dict()) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["expected.json"]


def test_a_moved_figure_is_named_in_one_line_with_the_command(tmp_path: Path) -> None:
    write_expected([COST], tmp_path / "expected.json")
    expected = read_expected(tmp_path / "expected.json")
    measured = COST.to_dict()
    measured["ice40"] |= {"lut": 20, "cells": {"SB_LUT4": 20, "SB_DFF": 25}}
    record = "record with: make expected (python -m synth.sweep --write)"
    assert moved("tiny", expected, measured) == f"tiny: ice40.cells.SB_LUT4 19 -> 20, lut 19 -> 20; {record}"
    expected["tools"]["yosys"] = "0.1"
    assert "; recorded with yosys 0.1, this is " in moved("tiny", expected, measured)
    assert moved("other", expected, measured) == f"other: nothing recorded; {record}"


def test_a_target_that_was_never_recorded_counts_as_moved(tmp_path: Path) -> None:
    write_expected([COST], tmp_path / "expected.json")
    assert moved("tiny", read_expected(tmp_path / "expected.json"), {"clock": {"1": 99.5}}).startswith("tiny: clock None -> {'1': 99.5}; ")


def test_stale_and_missing_entries_are_named(tmp_path: Path) -> None:
    write_expected([COST], tmp_path / "expected.json")
    expected = read_expected(tmp_path / "expected.json")
    assert stale(expected, ["tiny"]) == ""
    both = "tiny is recorded but no longer in the catalogue; new is in the catalogue but not recorded; record with: "
    assert stale(expected, ["new"]).startswith(both)


def test_difference_names_each_value_that_moved() -> None:
    assert difference({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 2, "d": 4, "e": 5}}) == "b.d 3 -> 4, e None -> 5"


def test_command_prints_a_table_and_writes_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([FIRST.name, "--no-clock", "-o", str(tmp_path / "deep" / "rows.json")])
    assert FIRST.name in capsys.readouterr().out
    written = json.loads((tmp_path / "deep" / "rows.json").read_text())
    assert {row["name"] for row in written["rows"]} >= {f"{FIRST.name} xc7 lut", f"{FIRST.name} gates gates"}
    assert set(written["tools"]) == {"yosys", "nextpnr_ecp5"}


@pytest.mark.parametrize(
    ("arguments", "message"), [(["nothing"], "NAME must be one of "), (["--write", "--no-clock"], "--write records everything")],
)
def test_wrong_arguments_exit_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
