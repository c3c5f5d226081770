"""Vector instructions of the bit-plane search, on 8 lanes of 32 bits without sign; LLVM maps them to what the processor has.

Arguments are addresses or integers. A metric holds mismatches * 256.
"""

import functools
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8
BYTES = 4 * LANES
MISMATCH_SHIFT = 8

_WORD = ir.IntType(32)
_VECTOR = ir.VectorType(_WORD, LANES)


def _instruction(emit: Callable[..., None]) -> Any:
    """A function for compiled code that runs what *emit* writes with an LLVM builder, given its arguments as 64-bit integers."""
    count = emit.__code__.co_argcount - 1

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        emit(builder, *arguments)
        return context.get_dummy_value()

    def typed(_typing: Any, *_arguments: Any) -> Any:
        return types.void(*[types.int64] * count), generate

    functools.update_wrapper(typed, emit)  # numba takes the number of arguments from the signature
    return intrinsic(typed)


def _load(builder: Any, address: Any) -> Any:
    return builder.load(builder.inttoptr(address, _VECTOR.as_pointer()), align=4)


def _store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, _VECTOR.as_pointer()), align=4)


def _splat(builder: Any, number: Any) -> Any:
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), builder.trunc(number, _WORD), ir.Constant(_WORD, 0))
    return builder.shuffle_vector(first, first, ir.Constant(_VECTOR, [0] * LANES))


def _minimum(builder: Any, left: Any, right: Any) -> Any:
    return builder.select(builder.icmp_unsigned("<", right, left), right, left)


def _farther(builder: Any, metric: Any, wanted: Any, pattern: Any) -> Any:
    """``*metric`` plus the mismatches between ``*wanted`` and *pattern*."""
    ctpop = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.ctpop.v{LANES}i32"
    )
    mismatches = builder.call(ctpop, [builder.xor(_load(builder, wanted), _splat(builder, pattern))])
    return builder.add(_load(builder, metric), builder.shl(mismatches, ir.Constant(_VECTOR, [MISMATCH_SHIFT] * LANES)))


@_instruction
def start(builder: Any, target: Any, metric: Any, h: Any) -> None:
    """``*target = *metric + h``."""
    _store(builder, builder.add(_load(builder, metric), _splat(builder, h)), target)


@_instruction
def offer(builder: Any, target: Any, metric: Any, h: Any) -> None:
    """``*target = min(*target, *metric + h)``."""
    candidate = builder.add(_load(builder, metric), _splat(builder, h))
    _store(builder, _minimum(builder, _load(builder, target), candidate), target)


@_instruction
def move(builder: Any, target: Any, metric: Any, wanted: Any, pattern: Any) -> None:
    """``*target = *metric`` plus the mismatches between ``*wanted`` and *pattern*."""
    _store(builder, _farther(builder, metric, wanted, pattern), target)


@_instruction
def nearer(builder: Any, target: Any, metric: Any, wanted: Any, pattern: Any) -> None:
    """As :func:`move`, but only where that is less than ``*target``."""
    candidate = _farther(builder, metric, wanted, pattern)
    _store(builder, _minimum(builder, _load(builder, target), candidate), target)


@_instruction
def relax(builder: Any, point: Any, stride: Any, second: Any) -> None:
    """Four points that differ in two care bits, the strides apart: none stays worse than another by more than a mismatch a bit.

    A *second* stride of 0 stands for no second bit.
    """
    other = builder.add(point, second)
    places = [point, builder.add(point, stride), other, builder.add(other, stride)]
    points = [_load(builder, place) for place in places]
    one = ir.Constant(_VECTOR, [1 << MISMATCH_SHIFT] * LANES)
    for bit in (1, 2):
        points = [_minimum(builder, here, builder.add(points[i ^ bit], one)) for i, here in enumerate(points)]
    for place, value in zip(places, points, strict=True):
        _store(builder, value, place)
