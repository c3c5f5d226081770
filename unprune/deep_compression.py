"""Read networks in the layout in which Deep Compression was released, trusting nothing in the file.

Source: Han et al., "Deep compression", ICLR 2016; the layout is that of the files for AlexNet and SqueezeNet that the authors released,
little-endian: the number of pairs of every layer (uint32); then of each layer its codebook (float32, 16 or 256 entries), its biases
(float32), the codes of its pairs (4 bits, the even one low, or 8) and their gaps (4 bits, the even one low). The file does not tell which
layers it holds, or of which shape: that comes with the network.
"""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.params.base import check
from golden.params.codebook import CodebookParameters
from golden.params.relative import RelativeParameters
from unprune.encode.base import TILE_WEIGHTS, Tile
from unprune.encode.relative import streams_of
from unprune.models import MAX_WEIGHTS, ModelError

GAP_BITS = 4
_COUNT_BYTES = 4  # the number of pairs of a layer
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Layer:
    """What a network knows of a layer: its name, the shape of its weights, and the width of its codes, 4 or 8 bits.

    The first number of *shape* is that of the outputs, each of which has a bias.
    """

    name: str
    shape: tuple[int, ...]
    code_bits: int = 8

    def __post_init__(self) -> None:
        check(self.code_bits in (4, 8), "code_bits", "4 or 8", self.code_bits)
        check(bool(self.shape) and min(self.shape) > 0, "shape", "one or more numbers above 0", self.shape)

    @property
    def weights(self) -> int:
        """The number of weights."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Compressed:
    """A layer as it stands in the file.

    Attributes:
        layer: Which one it is.
        codebook: float32, (2**code_bits,); entry 0 is that of all weights that have no pair.
        bias: float32, (outputs,).
        gaps: uint8, for each pair the weights between it and the pair before it.
        codes: uint8, for each pair; 0 where it only bridges a long gap.
    """

    layer: Layer
    codebook: NDArray[np.float32]
    bias: NDArray[np.float32]
    gaps: NDArray[np.uint8]
    codes: NDArray[np.uint8]

    @property
    def positions(self) -> NDArray[np.int64]:
        """Which weight each pair is, row-major."""
        return np.cumsum(self.gaps.astype(np.int64) + 1) - 1

    @property
    def dense_codes(self) -> NDArray[np.uint8]:
        """The code of every weight, flat."""
        codes = np.zeros(self.layer.weights, np.uint8)
        codes[self.positions] = self.codes
        return codes

    @property
    def weights(self) -> NDArray[np.float32]:
        """The weights, in the layer's shape."""
        return self.codebook[self.dense_codes].reshape(self.layer.shape)

    def tiles(self, parameters: RelativeParameters) -> Iterator[Tile]:
        """The layer as matrices for the relative-index decoder, which gives codes; each of ``TILE_WEIGHTS`` weights, the last of fewer.

        Raises:
            ValueError: the decoder has not gaps of 4 bits, or values not as wide as the codes.
        """
        check(parameters.gap_bits == GAP_BITS, "gap_bits", str(GAP_BITS), parameters.gap_bits)
        check(parameters.value_bits == self.layer.code_bits, "value_bits", str(self.layer.code_bits), parameters.value_bits)
        most, positions = min(TILE_WEIGHTS, (1 << parameters.count_bits) - 1), self.positions
        for start in range(0, self.layer.weights, most):
            weights = min(most, self.layer.weights - start)
            first, end = np.searchsorted(positions, [start, start + weights])
            # What is left of the gap before the first pair; zeros after the last one are not coded.
            gaps = np.diff(positions[first:end], prepend=start - 1) - 1
            streams = streams_of(gaps.astype(np.uint64), self.codes[first:end].astype(np.uint64), parameters)
            yield Tile(weights, {"shape": np.array([weights], np.uint64), **streams})

    def codebook_tiles(self, parameters: CodebookParameters) -> Iterator[Tile]:
        """The codes of :meth:`tiles` as matrices for the codebook look-up, which gives the weights as float32 patterns.

        Raises:
            ValueError: the look-up has not entries of 32 bits, or codes that are too narrow.
        """
        check(parameters.value_bits == 32, "value_bits", "32", parameters.value_bits)
        check(parameters.code_bits >= self.layer.code_bits, "code_bits", f"at least {self.layer.code_bits}", parameters.code_bits)
        most, codes = min(TILE_WEIGHTS, (1 << parameters.count_bits) - 1), self.dense_codes.astype(np.uint64)
        table = self.codebook.view(np.uint32).astype(np.uint64)
        for start in range(0, len(codes), most):
            piece = codes[start : start + most]
            yield Tile(len(piece), {"shape": np.array([len(piece)], np.uint64), "table": table, "code": piece})


def read_deep_compression(path: str | os.PathLike[str], layers: Sequence[Layer]) -> list[Compressed]:
    """The *layers* of the network in *path*, in the order in which the file has them.

    No memory is taken for what the file claims before it was seen to hold it, and the layers together may have ``MAX_WEIGHTS`` weights.

    Raises:
        ModelError: the file is missing, a folder, not as long as these layers need, has pairs past the end of a layer or a codebook or bias
            that is not finite; one line.
        ValueError: no layer, or too many weights.
    """
    total = sum(layer.weights for layer in layers)
    check(0 < total <= MAX_WEIGHTS, "the weights of the layers", f"between 1 and {MAX_WEIGHTS}", total)
    if Path(path).exists() and not Path(path).is_file():
        raise ModelError(f"{path}: is not a regular file; give a file of a network released by Deep Compression")
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            heads = file.read(_COUNT_BYTES * len(layers))
            pairs = _counts(heads, layers, path)
            needed = len(heads) + sum(sum(_sizes(layer, count)) for layer, count in zip(layers, pairs, strict=True))
            if size != needed:
                what = "is cut short" if size < needed else "goes on after the last layer"
                raise ModelError(f"{path}: must have {needed} bytes for these layers, has {size}: it {what}, or the layers are others")
            return [_layer(layer, count, file.read(sum(_sizes(layer, count))), path) for layer, count in zip(layers, pairs, strict=True)]
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}; give a file that can be read") from None


def _counts(heads: bytes, layers: Sequence[Layer], path: str | os.PathLike[str]) -> list[int]:
    if len(heads) < _COUNT_BYTES * len(layers):
        raise ModelError(f"{path}: ends within the numbers of pairs of its {len(layers)} layers, it is cut short or the layers are others")
    counts: list[int] = np.frombuffer(heads, "<u4").tolist()
    for layer, count in zip(layers, counts, strict=True):
        if count > layer.weights:
            raise ModelError(
                f"{path}: layer {layer.name!r} has {count} pairs for {layer.weights} weights; the file is damaged or the layers are others"
            )
    return counts


def _sizes(layer: Layer, pairs: int) -> tuple[int, int, int, int]:
    """Bytes of a layer's codebook, biases, codes and gaps."""
    return _FLOAT_BYTES << layer.code_bits, _FLOAT_BYTES * layer.shape[0], -(-pairs * layer.code_bits // 8), -(-pairs * GAP_BITS // 8)


def _layer(layer: Layer, pairs: int, data: bytes, path: str | os.PathLike[str]) -> Compressed:
    ends = np.cumsum(_sizes(layer, pairs)).tolist()
    if len(data) < ends[-1]:
        raise ModelError(f"{path}: layer {layer.name!r} ends early, the file was cut short while it was read")
    codebook, bias = np.frombuffer(data[: ends[0]], "<f4"), np.frombuffer(data[ends[0] : ends[1]], "<f4")
    codes, gaps = np.frombuffer(data[ends[1] : ends[2]], np.uint8), np.frombuffer(data[ends[2] : ends[3]], np.uint8)
    for what, numbers in (("codebook", codebook), ("bias", bias)):
        wrong = int(len(numbers) - np.isfinite(numbers).sum())
        if wrong:
            raise ModelError(f"{path}: layer {layer.name!r} has a {what} of which {wrong} of {len(numbers)} numbers are NaN or infinite")
    found = Compressed(layer, codebook, bias, _nibbles(gaps, pairs), _nibbles(codes, pairs) if layer.code_bits == 4 else codes)
    end = int(found.positions[-1]) + 1 if pairs else 0
    if end > layer.weights:
        raise ModelError(f"{path}: layer {layer.name!r} has pairs up to weight {end} of {layer.weights}; the file is damaged")
    return found


def _nibbles(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """The 4-bit numbers of *packed*, of each byte the low one first."""
    return np.stack([packed & 15, packed >> 4], axis=1).ravel()[:count]


ALEXNET = (
    Layer("conv1", (96, 3, 11, 11)),
    Layer("conv2", (256, 48, 5, 5)),
    Layer("conv3", (384, 256, 3, 3)),
    Layer("conv4", (384, 192, 3, 3)),
    Layer("conv5", (256, 192, 3, 3)),
    Layer("fc6", (4096, 9216), 4),
    Layer("fc7", (4096, 4096), 4),
    Layer("fc8", (1000, 4096), 4),
)


def _fire(number: int, inputs: int, squeezed: int, expanded: int) -> tuple[Layer, ...]:
    return (
        Layer(f"fire{number}/conv1x1_1", (squeezed, inputs, 1, 1)),
        Layer(f"fire{number}/conv1x1_2", (expanded, squeezed, 1, 1)),
        Layer(f"fire{number}/conv3x3_2", (expanded, squeezed, 3, 3)),
    )


SQUEEZENET = (
    Layer("conv1", (96, 3, 7, 7)),
    *_fire(2, 96, 16, 64),
    *_fire(3, 128, 16, 64),
    *_fire(4, 128, 32, 128),
    *_fire(5, 256, 32, 128),
    *_fire(6, 256, 48, 192),
    *_fire(7, 384, 48, 192),
    *_fire(8, 384, 64, 256),
    *_fire(9, 512, 64, 256),
    Layer("conv_final", (1000, 512, 1, 1)),
)
