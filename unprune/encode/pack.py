"""A layer as it lies in memory: the packed index and the packed survivors, made in one pass, and back."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.viterbi import ViterbiParameters
from unprune.encode import density, engine, viterbi
from unprune.encode.base import Progress
from unprune.encode.gather import Gather

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class Packed:
    """A layer in the Viterbi format.

    Attributes:
        shape: Of the layer.
        index: uint8, the compressed bits, the first in bit 0 of byte 0; the last byte is filled with 0.
        survivors: The weights that the mask keeps, row-major, in the layer's own type.
    """

    shape: tuple[int, ...]
    index: npt.NDArray[np.uint8]
    survivors: Floats


def pack(
    weights: Floats, threshold: float, parameters: ViterbiParameters, progress: Progress | None = None, workers: int | None = None
) -> Packed:
    """The mask that keeps most of *weights* by the linear gain at *threshold*, as an index, and what it keeps.

    Batches of blocks are searched, expanded and gathered by one core each while they are in its cache. Beyond the result this takes a
    constant for each worker, and once more the survivors while they are put together.

    Args:
        weights: float32 or float64, any shape; one layer.
        threshold: What a survivor's magnitude has to pass to be worth keeping; ``choose`` finds the one that meets a density.
        progress: Called with the number of weights done since the last call.
        workers: Threads; none: as many as there are cores for a large layer, else one.

    Raises:
        TypeError: *weights* are not float32 or float64.
        ValueError: A weight is NaN or infinite.
    """
    if weights.dtype not in (np.float32, np.float64):
        raise TypeError(f"weights must be float32 or float64, was {weights.dtype}")
    flat = np.ascontiguousarray(weights).ravel()
    p, q = parameters.p, parameters.q
    gather = Gather(parameters, min(flat.size, engine.LANES * parameters.block_steps * q), flat.dtype)
    pieces: dict[int, Floats] = {}

    def keep(first: int, bits: npt.NDArray[np.uint8]) -> None:
        pieces[first] = gather(flat[first * q : (first + len(bits) // p) * q], bits)

    source = engine.Linear(flat, threshold, *density.extremes(flat, engine.threads(flat.size, workers)))
    bits = engine.search(source, parameters, progress, workers, then=keep)
    ordered = [pieces[first] for first in sorted(pieces)]
    return Packed(weights.shape, np.packbits(bits, bitorder="little"), _joined(ordered, flat.dtype, engine.threads(flat.size, workers)))


def _joined(pieces: list[Floats], kind: npt.DTypeLike, workers: int) -> Floats:
    """*pieces* as one array; each worker fills its part, since fresh memory takes longer to come by than to fill."""
    ends = np.cumsum([0, *(piece.size for piece in pieces)])
    joined = np.empty(int(ends[-1]), kind)
    bounds = [len(pieces) * i // workers for i in range(workers + 1)]

    def fill(first: int, last: int) -> None:
        if first < last:
            np.concatenate(pieces[first:last], out=joined[ends[first] : ends[last]])

    with ThreadPoolExecutor(workers) as pool:
        list((map if workers == 1 else pool.map)(fill, bounds[:-1], bounds[1:]))
    return joined


def unpack(packed: Packed, parameters: ViterbiParameters) -> Floats:
    """The pruned layer: what :func:`pack` kept, in place, and 0.

    Raises:
        ValueError: The index has too few bits for the shape, or keeps another number of weights than there are survivors.
    """
    size = int(np.prod(packed.shape))
    bits = np.unpackbits(packed.index, bitorder="little")
    kept = viterbi.decompress(bits, size, parameters).view(np.bool_)
    check(int(kept.sum()) == packed.survivors.size, "survivors", str(int(kept.sum())), packed.survivors.size)
    weights = np.zeros(size, packed.survivors.dtype)
    weights[kept] = packed.survivors
    return weights.reshape(packed.shape)
