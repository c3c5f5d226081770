"""Netlists keep the contract too: the same bench, against the cells that synthesis made of a decoder."""

import itertools
from pathlib import Path

import pytest

from golden.catalog import CATALOG, FORMATS
from hdl.emit import verilog
from sim.run import simulate_verilog
from synth.equivalence import CHECKED, SHIPPED, netlist, simulatable
from unprune.verify.checks import narrowest

TARGETS = [target for target in CHECKED if target != SHIPPED]
QUICK = {("nm_2_4_tiny", "xc7")}


def cases() -> list[object]:
    """The narrowest entry of each format, N:M on every target and the others on one after the other."""
    pairs = {*zip((narrowest(format).name for format in FORMATS), itertools.cycle(TARGETS)), *(("nm_2_4_tiny", one) for one in TARGETS)}
    return [pytest.param(*pair, marks=() if pair in QUICK else pytest.mark.slow) for pair in sorted(pairs)]


@pytest.mark.parametrize(("name", "target"), cases())
def test_a_netlist_keeps_the_contract(name: str, target: str, tmp_path: Path) -> None:
    parameters = CATALOG[name]
    source = tmp_path / f"{name}.v"
    source.write_text(simulatable(netlist(verilog(parameters), name, target), name, target))
    environment = {"UNPRUNE_PARAMETERS": parameters.to_json(), "UNPRUNE_GATES": "1"}
    simulated = simulate_verilog(source, [f"sim.bench_{parameters.format}"], top=name, folder=tmp_path, environment=environment)
    assert len(simulated.outcomes) > 10
