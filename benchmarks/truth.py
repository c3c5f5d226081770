"""Whole networks through every format's decoder of 1, 4 and 16 weights a beat, and those of masks and look-ups: what differs from golden,
and what rate they reach."""

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.catalog import CATALOG, DEFAULTS
from golden.params.base import Parameters
from unprune.network import load_digits
from unprune.outcome import Outcome
from unprune.roundtrip import Layers, round_trip

LANES = (1, 4, 16)
DENSITY = 0.1
DRAWN = (1024, 2048)  # weights: more than two million
RLC_RATES = {1.0: 3.0, 0.75: 3.6, 0.5: 3.9, 0.3: 3.98}  # elements per cycle that 4 lanes of Eyeriss words have to reach, by density

Row = dict[str, Any]
Say = Callable[[str], None]


def networks() -> dict[str, Layers]:
    """The shipped network's matrices, and one layer of drawn weights."""
    digits = load_digits().layers
    drawn = np.random.default_rng(0).standard_normal(DRAWN, np.float32)
    return {"digits": {name: layer for name, layer in digits.items() if name.endswith(".weight")}, "drawn": {"weight": drawn}}


def designs() -> list[tuple[str, int, Parameters | str]]:
    """Format, lanes and the decoder, or why there is none of that width. Of a format of which there is none at all (it gives masks, or
    answers to requests) the default, with the elements that it gives a cycle.
    """
    found: list[tuple[str, int, Parameters | str]] = []
    for name, default in DEFAULTS.items():
        made: list[tuple[str, int, Parameters | str]] = []
        for lanes in LANES:
            try:
                made.append((name, lanes, type(default).weights(lanes)))
            except ValueError as error:
                made.append((name, lanes, str(error)))
        if not default.view:
            found += made if any(isinstance(one, Parameters) for *_, one in made) else [(name, default.rate, default)]
    return found


def played(layers: Layers, density: float, parameters: Parameters, bits: int = 8) -> Outcome:
    """*layers* through the simulated Verilog of a decoder."""
    with tempfile.TemporaryDirectory(prefix="unprune-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of densities that the format does not follow
        return round_trip(layers, dict.fromkeys(layers, density), parameters, Path(folder), bits=bits)


def rows(say: Say, large: bool) -> list[Row]:
    """Weights that differ and weights per cycle, of each network, format and width; *large* says whether the drawn one is played too."""
    found: list[Row] = []
    for network, layers in networks().items():
        if network == "drawn" and not large:
            continue
        for name, lanes, parameters in designs():
            title = f"{network}, {name}, {lanes} lanes"
            if isinstance(parameters, str):
                found.append({"name": f"{title}: not played, {parameters}", "value": None, "unit": ""})
                continue
            say(title)
            outcome = played(layers, DENSITY, parameters)
            wrong = outcome.differing_weights + outcome.differing_beats
            found.append({"name": f"{title}: differ of {outcome.weights}", "value": wrong, "unit": "1", "bar": 0, "met": wrong == 0})
            found.append({"name": f"{title}: rate", "value": round(outcome.weights_per_cycle, 3), "unit": "1/cycle"})
    return found


def rlc_rates(say: Say) -> list[Row]:
    """Elements per cycle of 4 lanes of Eyeriss words from the first to the last beat, by density."""
    found = []
    weights: npt.NDArray[np.float32] = np.random.default_rng(0).standard_normal((128, 512), np.float32)
    for density, bar in RLC_RATES.items():
        say(f"rlc_eyeriss at density {density:g}")
        outcome = played({"weight": weights}, density, CATALOG["rlc_eyeriss"], bits=16)
        rate = outcome.weights / (outcome.beats + outcome.stall_cycles)
        name = f"rlc_eyeriss at density {density:g}: rate, at least"
        found.append({"name": name, "value": round(rate, 3), "unit": "1/cycle", "bar": bar, "met": rate >= bar})
    return found
