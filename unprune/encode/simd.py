"""Vector instructions that numba does not find by itself, on 32 lanes of 16 bits; LLVM maps them to what the processor has.

Arguments are addresses (integers) unless a docstring says otherwise; vectors are aligned to 64 bytes.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

LANES = 32
BYTES = 2 * LANES

_VECTOR = ir.VectorType(ir.IntType(16), LANES)
_ROW = ir.VectorType(ir.IntType(8), LANES)
_FLAGS = ir.IntType(LANES)


def aligned(count: int) -> npt.NDArray[np.int16]:
    """Space for *count* vectors: int16, (count, LANES), not initialised, aligned."""
    raw = np.empty(count * BYTES + BYTES, np.uint8)
    start = -raw.ctypes.data % BYTES
    return raw[start : start + count * BYTES].view(np.int16).reshape(count, LANES)


def _instruction(emit: Callable[..., None]) -> Any:
    """A function for compiled code that runs what *emit* writes with an LLVM builder, given its arguments as 64-bit integers."""

    def typed(_typing: Any, *arguments: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            emit(builder, *(builder.zext(v, ir.IntType(64)) if v.type.width < 64 else v for v in values))
            return context.get_dummy_value()

        return types.void(*arguments), generate

    functools.update_wrapper(typed, emit)  # numba takes the number of arguments from the signature
    return intrinsic(typed)


def _load(builder: Any, address: Any, kind: Any = _VECTOR, align: int = BYTES) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=align)


def _store(builder: Any, value: Any, address: Any, align: int = BYTES) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=align)


def _offset(builder: Any, address: Any, count: int) -> Any:
    return builder.add(address, ir.Constant(address.type, count))


@_instruction
def copy(builder: Any, target: Any, source: Any) -> None:
    """``*target = *source``."""
    _store(builder, _load(builder, source), target)


@_instruction
def add(builder: Any, target: Any, left: Any, right: Any) -> None:
    """``*target = *left + *right``."""
    _store(builder, builder.add(_load(builder, left), _load(builder, right)), target)


@_instruction
def subtract(builder: Any, target: Any, left: Any, right: Any) -> None:
    """``*target = *left - *right``."""
    _store(builder, builder.sub(_load(builder, left), _load(builder, right)), target)


@_instruction
def store_word(builder: Any, target: Any, word: Any) -> None:
    """Write the 8 bytes of the integer *word* to an address of any alignment."""
    _store(builder, word, target, align=1)


@_instruction
def transpose(builder: Any, target: Any, source: Any, pitch: Any) -> None:
    """32 rows of 32 signed bytes, *pitch* (an integer) bytes apart, into 32 vectors: the first holds the first byte of every row."""
    rows = [_load(builder, builder.add(source, builder.mul(pitch, ir.Constant(pitch.type, i))), _ROW, 1) for i in range(LANES)]
    half = LANES // 2
    order = ir.VectorType(ir.IntType(32), LANES)
    low = ir.Constant(order, [i // 2 + i % 2 * LANES for i in range(LANES)])
    high = ir.Constant(order, [half + i // 2 + i % 2 * LANES for i in range(LANES)])
    for _ in range(5):  # each pass interleaves row i with row i + 16; after log2(32) of them rows and columns have changed places
        rows = [builder.shuffle_vector(rows[i], rows[i + half], side) for i in range(half) for side in (low, high)]
    for i, row in enumerate(rows):
        _store(builder, builder.sext(row, _VECTOR), _offset(builder, target, i * BYTES))


@_instruction
def butterfly(
    builder: Any, target: Any, choice: Any, low: Any, high: Any, even_low: Any, odd_low: Any, even_high: Any, odd_high: Any
) -> None:
    """Add, compare, select for the two neighbouring target states that share two predecessors.

    ``target[0]`` becomes the greater of ``*low + *even_low`` and ``*high + *even_high``, the first of equal ones, and ``choice[0]``
    (32 bits, one a lane) is 1 where it is the second; likewise ``target[1]`` and ``choice[1]`` with the odd ones.
    """
    lower, upper = _load(builder, low), _load(builder, high)
    for i, (first_gain, second_gain) in enumerate(((even_low, even_high), (odd_low, odd_high))):
        first = builder.add(lower, _load(builder, first_gain))
        second = builder.add(upper, _load(builder, second_gain))
        better = builder.icmp_signed(">", second, first)
        _store(builder, builder.select(better, second, first), _offset(builder, target, i * BYTES))
        _store(builder, builder.bitcast(better, _FLAGS), _offset(builder, choice, i * LANES // 8), align=4)
