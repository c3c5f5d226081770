"""What the bit-plane code is worth: share of care bits matched and bits per survivor, patches included: ``python -m benchmarks.planes``.

Prints a table and writes its rows to out/planes.json. Random values are seeded; the digits network is the shipped one, pruned by magnitude.
"""

import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from golden.params.planes import PlanesParameters
from hdl.files import write_json
from unprune.encode import planes
from unprune.network import layer_names, load_digits
from unprune.prune import entropy_floor, magnitude_mask, quantise

BITS = 8
BLOCKS = 20  # of 512 steps of 80 random weights
DENSITY = 0.1
CODES = (  # k, p, q, gap_bits, block_steps
    (0, 8, 80, 1, 512),
    (8, 8, 80, 2, 512),
    (8, 2, 20, 4, 512),
    (8, 4, 40, 3, 512),
    (12, 4, 40, 3, 512),
    (16, 8, 80, 3, 128),
    (8, 8, 72, 3, 512),
    (8, 8, 96, 1, 512),
    (8, 8, 128, 1, 512),
)
SLOW = 12  # bits of history from which random weights are few
COLUMNS = (
    "weights", "k", "p", "q", "matched", "inputs", "patches", "total", "raw", "floor", "per weight", "raw per weight", "beats per cycle",
    "Mweight/s",
)

Data = tuple[str, npt.NDArray[Any], npt.NDArray[np.bool_]]
Row = dict[str, Any]


def random_weights(spread: bool) -> Data:
    """Values that no code can shorten; each weight survives on its own, or exactly one in ten of every 80."""
    rng = np.random.default_rng(0)
    count = 80 * 512 * BLOCKS
    values = rng.integers(0, 1 << BITS, count)
    if not spread:
        return "random", values, rng.random(count) < DENSITY
    mask = np.zeros((count // 80, 80), bool)
    mask[:, : round(80 * DENSITY)] = True
    return "random, even", values, rng.permuted(mask, axis=1).ravel()


def digits() -> Data:
    """The shipped network's layers one after the other, each pruned and quantised by itself."""
    layers = load_digits().layers
    levels, masks = [], []
    for name in layer_names(layers):
        weights = layers[f"{name}.weight"]
        mask = magnitude_mask(weights, DENSITY, name)
        levels.append(quantise(weights, BITS, mask, name).levels.ravel().astype(np.int64))
        masks.append(mask.ravel())
    return "digits", np.concatenate(levels), np.concatenate(masks)


def beats_per_cycle(patches: npt.NDArray[np.uint64], weights: int, parameters: PlanesParameters) -> float:
    """How many beats of weights the decoder gives a clock cycle: a beat takes a cycle for each beat of patches that it has patches in."""
    p = parameters
    gaps = (patches >> np.uint64(p.lane_bits + p.plane_bits)).astype(np.int64)
    beat = np.cumsum(np.concatenate([[0], gaps]))[:-1]
    first = np.ones(beat.size, bool)  # of a beat of weights in a beat of patches
    first[1:] = (np.diff(beat) > 0) | (np.arange(1, beat.size) % p.patches == 0)
    beats = -(-weights // p.lanes)
    return beats / float(np.maximum(np.bincount(beat[first], minlength=beats), 1).sum())


def measure(data: Data, code: tuple[int, int, int, int, int]) -> dict[str, float | str]:
    """A line of the table; bits are per survivor but for the two per weight. Raises if a value does not come back."""
    name, values, mask = data
    k, p, q, gap_bits, block_steps = code
    if k >= SLOW:
        values, mask = values[: 80 * 128 * 8], mask[: 80 * 128 * 8]
    parameters = PlanesParameters(value_bits=BITS, k=k, p=p, q=q, gap_bits=gap_bits, block_steps=block_steps, count_bits=32)
    started = time.perf_counter()
    encoded = planes.encode_values(values, mask, parameters)
    seconds = time.perf_counter() - started
    if not np.array_equal(planes.decode_values(encoded, mask, parameters), np.where(mask, values & (1 << BITS) - 1, 0)):
        raise RuntimeError(f"{name} must come back from {parameters}")
    survivors = int(mask.sum())
    total = encoded.bits(parameters)
    return {
        "weights": name, "k": k, "p": p, "q": q,
        "matched": 1 - encoded.flips / (survivors * BITS),
        "inputs": encoded.inputs.size * p / survivors,
        "patches": encoded.patches.size * parameters.patch_bits / survivors,
        "total": total / survivors,
        "raw": BITS,
        "floor": BITS if name != "digits" else entropy_floor(mask, values).value_bits_per_survivor,
        "per weight": total / mask.size,
        "raw per weight": BITS * survivors / mask.size,
        "beats per cycle": beats_per_cycle(encoded.patches, mask.size, parameters),
        "Mweight/s": mask.size / seconds / 1e6,
    }


def rows_of(line: dict[str, float | str]) -> list[Row]:
    """The measured values of *line*, one row each; no goal is set."""
    units = {"matched": "1", "beats per cycle": "beat/cycle", "per weight": "bit/weight", "Mweight/s": "Mweight/s"}
    title = "planes {weights} k{k} p{p} q{q}".format_map(line)
    return [
        {"name": f"{title} {name}", "value": line[name], "unit": units.get(name, "bit/survivor"), "bar": None, "met": None}
        for name in ("matched", "inputs", "patches", "total", "floor", "per weight", "beats per cycle", "Mweight/s")
    ]


def main() -> None:
    """Measure, print, write."""
    data = [random_weights(False), random_weights(True), digits()]
    measure(("compile", data[0][1][:800], data[0][2][:800]), CODES[0])  # so that no line of the table pays for the compiler
    cases = [(weights, code) for weights in data for code in CODES]
    lines = [measure(*case) for case in track(cases, "encoding", console=Console(stderr=True), transient=True)]
    table = Table(*COLUMNS, title=f"{BITS}-bit values, density {DENSITY}; bits per survivor")
    for line in lines:
        cells = [line[column] for column in COLUMNS]
        table.add_row(*[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells])
    Console().print(table)
    versions = {"python": platform.python_version()} | {name: version(name) for name in ("numpy", "numba")}
    Path("out").mkdir(exist_ok=True)
    rows = [row for line in lines for row in rows_of(line)]
    write_json(Path("out/planes.json"), {"versions": versions, "rows": rows})


if __name__ == "__main__":
    main()
