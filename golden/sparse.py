"""The sparse view of a decoder: position and value of every weight that is not 0, in order."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from golden.bits import Element
from golden.decoded import Decoded
from golden.params.sparse import SparseParameters


def _format(parameters: SparseParameters) -> Any:
    return importlib.import_module(f"golden.{parameters.of.format}")


def encode(
    matrix: Sequence[Sequence[int]], parameters: SparseParameters, *, gains: Sequence[int] | None = None
) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns; what the decoder's own format says.

    Args:
        gains: Of the weights, for a format that chooses which of them survive.
    """
    more = [] if gains is None else [gains]
    shares: dict[str, list[Element | None]] = _format(parameters).encode(matrix, *more, parameters.of)
    return shares


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: SparseParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not: the survivors among the decoder's weights, and its error.

    Positions are numbers of the weights in the order in which the decoder gives them, row-major; those that fill up rows are counted too.
    """
    inner: Decoded = _format(parameters).decode(shares, parameters.of)
    survivors: list[Element] = [(position, weight) for position, weight in enumerate(inner.elements) if isinstance(weight, int) and weight]
    return Decoded(survivors, inner.error)
