"""The Viterbi format with its values at speed: as :mod:`unprune.encode.viterbi`, and the survivors go through the decoder too."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.viterbi_weight import ViterbiWeightParameters
from unprune.encode import bitmap, viterbi
from unprune.encode.base import Cost, Levels, Mask, Tile, to_patterns

choose = viterbi.choose


def encode(levels: Levels, mask: Mask, parameters: ViterbiWeightParameters) -> Iterator[Tile]:
    """*levels* cut into tiles of whole blocks, as :func:`unprune.encode.viterbi.encode` does, with the survivors as the stream ``value``.

    Raises:
        ValueError: A survivor needs more than ``value_bits``, two's complement, or *mask* is not of :func:`choose`.
    """
    for tile in viterbi.encode(levels, mask, parameters):
        assert tile.survivors is not None
        yield Tile(tile.weights, tile.streams | {"value": to_patterns(tile.survivors, parameters.value_bits)})


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: ViterbiWeightParameters) -> Levels:
    """The levels of *tile*, flat, from the weights that hardware gave; ``ValueError`` where there are not as many as in the tile."""
    return bitmap.rebuild(elements, tile, parameters.expansion)


def cost(tile: Tile, parameters: ViterbiWeightParameters) -> Cost:
    """p bits a step, and a value for every survivor."""
    return Cost(-(-tile.weights // parameters.q) * parameters.p, len(tile.streams["value"]) * parameters.value_bits)
