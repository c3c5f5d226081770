"""What ``make figures`` writes, of recorded costs and made-up goals."""

import json
import math
from pathlib import Path

import pytest

from benchmarks import figures
from golden.catalog import CATALOG
from synth.clock import Clock
from synth.cost import Cost
from synth.expected import read_expected
from synth.figures import Figures
from synth.targets import TARGETS


def recorded(name: str, mhz: float) -> Cost:
    """The area of an entry as the tests hold it, with this clock rate."""
    design = read_expected()["designs"][name]
    return Cost(name, {target: Figures.from_dict(design[target]) for target in TARGETS}, Clock(mhz, {1: mhz}, ""))


def test_every_goal_is_of_an_entry() -> None:
    assert {goal.entry for goal in figures.GOALS} <= CATALOG.keys()


def test_a_missed_goal_is_a_row_and_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(figures, "GOALS", (figures.Goal("rlc_eyeriss", math.inf, 100), figures.Goal("rlc_tiny", 1, 100.1)))
    monkeypatch.setattr(figures, "sweep", lambda *_, **__: [recorded(name, 100) for name in CATALOG])
    figures.main(truths=False)
    rows = json.loads(Path("out/figures.json").read_text())["rows"]
    assert {row["name"].partition(":")[0] for row in rows} >= CATALOG.keys()
    assert all({"name", "value", "unit"} <= row.keys() for row in rows)
    assert {row["name"]: row["met"] for row in rows if ": ECP5 MHz, at" in row["name"] or ": xc7 LUT, at" in row["name"]} == {
        "rlc_eyeriss: ECP5 MHz, at least": True, "rlc_tiny: xc7 LUT, at most": False, "rlc_tiny: ECP5 MHz, at least": False,
    }
