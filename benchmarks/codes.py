"""What the catalogue's codes keep, beside what no code can pass, and what restarts cost: ``python -m benchmarks.codes``.

Seeded Gaussian weights; kept magnitude is relative to magnitude pruning at the same count. Prints two tables and writes them to a page.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.progress import track
from scipy.special import expit, ndtri, xlogy

from benchmarks.page import Table, show
from golden.catalog import CATALOG
from golden.params.viterbi import ViterbiParameters
from unprune.encode import viterbi
from unprune.prune import kept_magnitude

DENSITY = 0.0844
WEIGHTS = 1 << 21
LENGTHS = (32, 128, 512, 1024, 4096)
CELLS = 1 << 14

Floats = npt.NDArray[np.float64]


def bound(rate: float, density: float) -> float:
    """The magnitude that a mask of *density* can keep at most, of Gaussian weights, when it takes *rate* bits a weight to say.

    The rate-distortion function: among all ways to draw a mask bit from its weight with the wanted density, the most magnitude at a mutual
    information of *rate*. The best way keeps a weight x with probability 1 / (1 + exp(-(slope |x| + offset))).
    """
    x = np.abs(ndtri((np.arange(CELLS) + 0.5) / CELLS))
    best = float(np.sort(x)[-round(density * CELLS) :].sum()) / CELLS

    def kept(slope: float) -> Floats:
        offset = _root(lambda offset: float(expit(slope * x + offset).mean()) - density, -200.0, 50.0)
        return np.asarray(expit(slope * x + offset))

    def spent(slope: float) -> float:
        return float(_entropy(np.array(density)) - _entropy(kept(slope)).mean())

    return float((x * kept(_root(lambda slope: spent(slope) - rate, 0.0, 60.0))).mean()) / best


def _entropy(probability: Floats) -> Floats:
    return np.asarray(-(xlogy(probability, probability) + xlogy(1 - probability, 1 - probability)) / np.log(2))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a growing *function* passes 0 between *low* and *high*."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return low


def kept(parameters: ViterbiParameters) -> float:
    """Of weights that the taps were not chosen on."""
    weights = np.random.default_rng([0, 1]).standard_normal((1, WEIGHTS)).astype(np.float32)
    return kept_magnitude(weights, viterbi.choose(weights, DENSITY, parameters).kept)


def main(page: Annotated[Path | None, typer.Option("--write", help="page whose tables to write")] = None) -> None:
    """Search, print and write."""
    masks = [p for p in CATALOG.values() if type(p) is ViterbiParameters]
    entries = [p for p in masks if p.comparator and p.k >= 5 and not p.skid]
    best = max(entries, key=lambda p: p.k)
    codes: list[list[str]] = [["code", "index bits / weight", "kept magnitude", "no code keeps more than"]]
    blocks: list[list[str]] = [["steps a block", *(p.name for p in (entries[0], best))]]
    for length in track((0, *LENGTHS), "searching", console=Console(stderr=True), transient=True):
        if length:
            values = [f"{kept(replace(p, block_steps=length, name='')):.4f}" for p in (entries[0], best)]
            blocks.append([f"{length}{', the default' if length == ViterbiParameters.block_steps else ''}", *values])
        else:
            codes += [[p.name, f"{p.p / p.q:.3f}", f"{kept(p):.3f}", f"{bound(p.p / p.q, DENSITY):.3f}"] for p in entries]
    tables: dict[str, Table] = {"codes": codes, "blocks": blocks}
    show(tables, page)


if __name__ == "__main__":
    typer.run(main)
