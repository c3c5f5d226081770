"""What the tests of the benches share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from golden.catalog import CATALOG
from hdl.emit import verilog
from sim.run import SimulationFailed, simulate_verilog


@pytest.fixture
def caught(tmp_path: Path) -> Callable[[str, str, str, str], bool]:
    """Whether the bench of an entry, its Verilog broken by putting *wrong* for *right*, fails in a test whose name holds *test*."""

    def play(name: str, right: str, wrong: str, test: str) -> bool:
        parameters = CATALOG[name]
        text = verilog(parameters)
        assert right in text
        source = tmp_path / f"{name}.sv"
        source.write_text(text.replace(right, wrong))
        environment = {"UNPRUNE_PARAMETERS": parameters.to_json()}
        with pytest.raises(SimulationFailed) as failure:
            simulate_verilog(source, [f"sim.bench_{parameters.format}"], top=name, folder=tmp_path, environment=environment)
        return any(test in outcome.name for outcome in failure.value.outcomes if not outcome.passed)

    return play
