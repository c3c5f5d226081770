"""Every entry of the catalogue keeps the contract, in every simulator that this machine has."""

from pathlib import Path

import pytest

from golden.catalog import CATALOG
from sim.run import SIMULATORS, simulate
from sim.tools import icarus_available


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("name", CATALOG)
def test_keeps_the_contract(name: str, simulator: str, tmp_path: Path) -> None:
    if simulator == "icarus" and not icarus_available():
        pytest.skip("Icarus is not installed")
    parameters = CATALOG[name]
    simulate(parameters, f"bench_{parameters.format}", folder=tmp_path, simulator=simulator)
