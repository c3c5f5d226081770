"""The recorded figures of the catalogue are the tools' answers now: every entry, exactly."""

import pytest

from golden.catalog import CATALOG, FORMATS
from golden.params.base import Parameters
from hdl.emit import verilog
from synth.clock import clock_rate
from synth.cost import measure
from synth.expected import moved, read_expected, stale
from synth.targets import TARGETS
from unprune.verify.checks import narrowest

ENTRIES = [pytest.param(parameters, id=parameters.name) for parameters in CATALOG.values()]


def smallest() -> Parameters:
    """The catalogue entry of which the fewest ECP5 LUTs are recorded: place and route takes it the least time."""
    designs = read_expected()["designs"]
    return min((CATALOG[name] for name in designs.keys() & CATALOG.keys()), key=lambda parameters: designs[parameters.name]["ecp5"]["lut"])


def test_recorded_entries_are_those_of_the_catalogue() -> None:
    assert (said := stale(read_expected(), CATALOG)) == "", said


@pytest.mark.parametrize("format", FORMATS)
def test_area_of_the_narrowest_is_as_recorded(format: str) -> None:
    # All targets for one of them; of all entries with the slow tests.
    parameters = narrowest(format)
    cost = measure(parameters, tuple(TARGETS) if format == "nm" else ("ecp5",), clock=False, fresh=True)
    assert (said := moved(parameters.name, read_expected(), cost.to_dict())) == "", said


@pytest.mark.slow
@pytest.mark.parametrize("parameters", ENTRIES)
def test_area_is_as_recorded_on_every_target(parameters: Parameters) -> None:
    cost = measure(parameters, tuple(TARGETS), clock=False, fresh=True)
    assert (said := moved(parameters.name, read_expected(), cost.to_dict())) == "", said


def test_clock_rate_of_the_smallest_is_as_recorded() -> None:
    cost = measure(smallest(), (), clock=True, fresh=True)
    assert (said := moved(cost.name, read_expected(), cost.to_dict())) == "", said


@pytest.mark.slow
@pytest.mark.parametrize("parameters", ENTRIES)
def test_clock_rate_is_as_recorded(parameters: Parameters) -> None:
    # Of the first seed: a netlist that has changed changes all.
    rates = clock_rate(verilog(parameters), parameters.name, (1,), fresh=True).per_seed
    assert {str(seed): rate for seed, rate in rates.items()}.items() <= read_expected()["designs"][parameters.name]["clock"].items()
