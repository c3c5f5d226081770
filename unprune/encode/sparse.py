"""The sparse view at the speed of numpy: the decoder's own encoder, and the layer put together from positions and values."""

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import Parameters, check
from golden.params.sparse import SparseParameters
from unprune.encode.base import Cost, Levels, Mask, Progress, Tile, Weights, to_levels


def _format(parameters: SparseParameters) -> Any:
    return importlib.import_module(f"unprune.encode.{parameters.of.format}")


def choose(weights: Weights, density: float, parameters: SparseParameters, progress: Progress | None = None) -> Mask:
    """The mask that the decoder's own format chooses."""
    mask: Mask = _format(parameters).choose(weights, density, parameters.of, progress)
    return mask


def encode(levels: Levels, mask: Mask, parameters: SparseParameters) -> Iterator[Tile]:
    """The tiles of the decoder's own format."""
    tiles: Iterator[Tile] = _format(parameters).encode(levels, mask, parameters.of)
    return tiles


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: Parameters) -> Levels:
    """The levels of *tile*, flat, from the positions and values (n, 2) that hardware gave.

    Raises:
        ValueError: A position is past the tile.
    """
    pairs = elements.reshape(-1, 2)
    furthest = int(pairs[:, 0].max(initial=0))
    check(furthest < max(tile.weights, 1), "a position", f"below {tile.weights}", furthest)
    levels = np.zeros(tile.weights, np.uint64)
    levels[pairs[:, 0].astype(np.intp)] = pairs[:, 1]
    return to_levels(levels, parameters.output.fields[1].bits)


def cost(tile: Tile, parameters: SparseParameters) -> Cost:
    """That of the decoder's own format."""
    found: Cost = _format(parameters).cost(tile, parameters.of)
    return found
