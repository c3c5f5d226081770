"""Every entry of the catalogue keeps the contract, in every simulator that this machine has."""

import re
from pathlib import Path

import pytest

from golden.catalog import CATALOG, DEFAULTS, FORMATS
from sim.run import simulate
from sim.tools import SIMULATORS, icarus_available
from unprune.verify.checks import narrowest

# Each format has in Verilator its default, and in Icarus, which is slow on wide ports, its narrowest entry. The narrowest in Verilator are
# slow tests, as are all entries in Icarus, which knows what is unknown. All in Verilator are in `unprune verify --full`. That both agree
# on the cycle of every transfer is there too, for all formats.
NARROWEST = {narrowest(name).name for name in FORMATS}
QUICK = {("verilator", p.name) for p in DEFAULTS.values()} | {("icarus", name) for name in NARROWEST}


def cases() -> list[object]:
    """Entries with their simulators."""
    pairs = {*QUICK, *(("verilator", name) for name in NARROWEST), *(("icarus", name) for name in CATALOG)}
    return [pytest.param(one[1], one[0], marks=() if one in QUICK else pytest.mark.slow) for one in sorted(pairs)]


@pytest.mark.parametrize(("name", "simulator"), cases())
def test_keeps_the_contract(name: str, simulator: str, tmp_path: Path) -> None:
    if simulator == "icarus" and not icarus_available():
        pytest.skip("Icarus is not installed")
    parameters = CATALOG[name]
    simulate(parameters, f"bench_{parameters.format}", folder=tmp_path, simulator=simulator)


def test_two_simulators_agree_on_the_cycle_of_every_transfer(tmp_path: Path) -> None:
    if not icarus_available():
        pytest.skip("Icarus is not installed")
    parameters = CATALOG["nm_2_4_tiny"]
    seen = []
    for simulator in SIMULATORS:
        simulated = simulate(parameters, f"bench_{parameters.format}", folder=tmp_path / simulator, simulator=simulator)
        seen.append(re.findall(r"transfers ([0-9a-f]{16})", simulated.log.read_text()))
    assert len(seen[0]) > 10
    assert seen[0] == seen[1]
