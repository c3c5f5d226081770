"""The sparse view at the speed of numpy: the decoder's own encoder, and the layer put together from positions and values."""

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.sparse import SparseParameters
from unprune.encode.base import Cost, Levels, Mask, Progress, Tile, Weights


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


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: SparseParameters) -> Levels:
    """The levels of *tile*, flat, from the positions and values (n, 2) that hardware gave: what the decoder's format makes of all.

    Raises:
        ValueError: A position is past the tile.
    """
    shape = [int(number) for number in tile.streams["shape"].ravel()]
    levels: Levels = _format(parameters).rebuild(spread(elements, parameters.of.weights_of(shape)), tile, parameters.of)
    return levels


def spread(elements: npt.NDArray[np.unsignedinteger[Any]], count: int) -> npt.NDArray[np.uint64]:
    """The patterns of *count* weights, of which those that are not 0 have these positions and values (n, 2); ``ValueError`` as above."""
    pairs = elements.reshape(-1, 2)
    furthest = int(pairs[:, 0].max(initial=0))
    check(furthest < max(count, 1), "a position", f"below {count}", furthest)
    patterns = np.zeros(count, np.uint64)
    patterns[pairs[:, 0].astype(np.intp)] = pairs[:, 1]
    return patterns


def cost(tile: Tile, parameters: SparseParameters) -> Cost:
    """That of the decoder's own format."""
    found: Cost = _format(parameters).cost(tile, parameters.of)
    return found
