"""Bits that an index takes in each format: the Viterbi format, 16-bit CSR, and relative indices of 4, 5 and 8 bits. Values are not counted.

As a script, ``python -m benchmarks.storage``: the fully connected layers of AlexNet, drawn at random, in all of them.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks.page import show
from golden.catalog import CATALOG
from golden.params.viterbi import ViterbiParameters
from unprune.encode import viterbi
from unprune.prune import kept_magnitude, magnitude_mask

Mask = npt.NDArray[np.bool_]

COLUMN_BITS = 16  # what the paper's CSR figures imply
POINTER_BITS = 32
GAP_BITS = (4, 5, 8)
ALEXNET = ((4096, 9216), (4096, 4096), (1000, 4096))


@dataclass(frozen=True)
class Storage:
    """What the masks of some layers cost as conventional indices, in bits.

    Attributes:
        weights, survivors: Of all layers.
        columns: CSR's column indices, 16 bits a survivor.
        pointers: CSR's row pointers, 32 bits for each row and one more a layer.
        relative: By gap width, the relative index: an entry for each survivor and for each filler that bridges a long gap.
    """

    weights: int
    survivors: int
    columns: int
    pointers: int
    relative: dict[int, int]

    @property
    def csr(self) -> int:
        """Column indices and row pointers."""
        return self.columns + self.pointers


def storage(masks: Sequence[Mask]) -> Storage:
    """The cost of *masks*, each (rows, columns)."""
    survivors = sum(int(mask.sum()) for mask in masks)
    pointers = sum((len(mask) + 1) * POINTER_BITS for mask in masks)
    relative = {bits: sum(entries(mask, bits) for mask in masks) * bits for bits in GAP_BITS}
    return Storage(sum(mask.size for mask in masks), survivors, survivors * COLUMN_BITS, pointers, relative)


def entries(mask: Mask, gap_bits: int) -> int:
    """Entries of the relative index of *mask*, row-major: survivors, and a filler for every full ``2**gap_bits`` zeros before one."""
    positions = np.flatnonzero(mask)
    gaps = np.diff(positions, prepend=-1) - 1
    return int(positions.size + (gaps >> gap_bits).sum())


def saving(bits: float, of: float) -> float:
    """How much less *bits* is than *of*: 0.852 for 85.2 % less; negative where it is more."""
    return 1 - bits / of


@dataclass(frozen=True)
class Drawn:
    """AlexNet's shapes at one code: what the Viterbi index takes, what others take, and the time to choose the masks."""

    name: str
    density: float
    index_bits: int
    kept: float
    seconds: float
    others: Storage


def alexnet(
    parameters: ViterbiParameters, density: float, shapes: Iterable[tuple[int, int]] = ALEXNET, progress: Progress | None = None
) -> Drawn:
    """Layers of *shapes*, Gaussian from seed 0, each pruned to *density*. The relative index is that of magnitude pruning's masks."""
    rng = np.random.default_rng(0)
    layers = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]
    viterbi.choose(layers[0][:8], density, parameters)  # compiles
    task = progress.add_task(f"{parameters.name}, density {density}", total=None) if progress else None

    def report(done: int) -> None:
        if progress is not None and task is not None:
            progress.advance(task, done)

    start = time.perf_counter()
    chosen = [viterbi.choose(layer, density, parameters, report) for layer in layers]
    seconds = time.perf_counter() - start
    bits = sum(mask.index.size for mask in chosen if mask.index is not None)
    weights = [float(np.abs(layer[mask.kept]).sum(dtype=np.float64)) for layer, mask in zip(layers, chosen, strict=True)]
    kept = sum(kept_magnitude(layer, mask.kept) * w for layer, mask, w in zip(layers, chosen, weights, strict=True)) / sum(weights)
    others = storage([magnitude_mask(layer, density) for layer in layers])
    return Drawn(parameters.name, density, bits, kept, seconds, others)


def alexnet_rows(progress: Progress | None = None) -> list[Drawn]:
    """The paper's 2.58 index bits per survivor, by q = 5 at the density that gives them and by q = 4 at the density that gives them."""
    base: Any = CATALOG["viterbi_k8q5c3"]
    four = replace(base, name="viterbi_k8q4c3", q=4, taps=base.taps[:12])
    return [alexnet(base, 0.0776, progress=progress), alexnet(base, 0.0844, progress=progress), alexnet(four, 0.097, progress=progress)]


def alexnet_table(rows: Iterable[Drawn]) -> list[list[str]]:
    """Header and cells, one row each."""
    table = [["code", "density", "index bits / survivor", "against CSR, columns only", "with pointers",
              "against 4-bit relative, no fillers", "with fillers", "kept magnitude", "s"]]  # fmt: skip
    for row in rows:
        others = row.others
        savings = (others.columns, others.csr, 4 * others.survivors, others.relative[4])
        table.append([row.name, f"{row.density:.2%}", f"{row.index_bits / others.survivors:.3f}",
                      *(f"-{saving(row.index_bits, of):.1%}" for of in savings), f"{row.kept:.3f}", f"{row.seconds:.1f}"])
    return table


def main(page: Annotated[Path | None, typer.Option("--write", help="page whose table to write")] = None) -> None:
    """Choose the masks, print the table and write it."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        found = alexnet_rows(progress)
    show({"AlexNet": alexnet_table(found)}, page)


if __name__ == "__main__":
    typer.run(main)
