"""Bits, bytes and beats: the one place that states their order.

Bit 0 is the least significant bit, byte 0 the lowest, lane 0 the first element.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias, TypeVar

from golden.params.base import Port, check_range

Element: TypeAlias = int | tuple[int, ...]  # what one lane holds: a number, or one number per field
Beat: TypeAlias = list[int]  # the elements of a beat; none: a beat without data
T = TypeVar("T")


def flatten(matrix: Iterable[Sequence[int]], count_bits: int, bits: int, what: str = "level") -> list[int]:
    """The elements of *matrix*, row after row.

    Raises:
        ValueError: there are more than *count_bits* can count, or one, named *what* and its place, is negative or needs more than *bits*.
        TypeError: one is not an integer.
    """
    flat = [element for row in matrix for element in row]
    check_range("the number of weights", len(flat), 0, (1 << count_bits) - 1)
    for place, element in enumerate(flat):
        check_range(f"{what} {place}", element, 0, (1 << bits) - 1)
    return flat


def bits_to_words(bits: Sequence[int], width: int) -> list[int]:
    """Pack *bits* (0 or 1) into words of *width* bits, from bit 0 of word 0 upward; the last word is padded with 0."""
    return [sum(bit << i for i, bit in enumerate(bits[start : start + width])) for start in range(0, len(bits), width)]


def words_to_bits(words: Iterable[int], width: int) -> list[int]:
    """The bits of *words* of *width* bits each, bit 0 of word 0 first."""
    return [word >> i & 1 for word in words for i in range(width)]


def element_to_bytes(port: Port, element: Element) -> bytes:
    """One lane of ``tdata``: every field little-endian, padded to whole bytes, the first field lowest."""
    numbers = element if isinstance(element, tuple) else (element,)
    return b"".join(number.to_bytes(f.bytes, "little") for f, number in zip(port.fields, numbers, strict=True))


def beats_of(elements: Iterable[T | None], lanes: int, row: int | None = None) -> list[list[T]]:
    """*elements* cut into beats of at most *lanes* each. ``None`` stands for a beat without data; no element at all is such a beat.

    With *row*, every *row* elements start a new beat.
    """
    beats: list[list[T]] = [[]]
    in_row = 0
    for element in elements:
        if element is None:
            beats.append([])
            continue
        if not beats[-1] or len(beats[-1]) == lanes or in_row == row:
            beats.append([])
        in_row = 1 if in_row == row else in_row + 1
        beats[-1].append(element)
    return beats[1:] or beats


def data_beats(share: Iterable[Element | None], lanes: int) -> list[Beat]:
    """:func:`beats_of` a share of numbers, without those that have no data but for the last one: it has the ``tlast``."""
    beats = beats_of((element if isinstance(element, int) else None for element in share), lanes)
    return [beat for beat in beats[:-1] if beat] + beats[-1:]


def to_beats(port: Port, elements: Iterable[Element | None], row: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    """:func:`beats_of` *elements*, each as (``tdata``, one ``tkeep`` flag a byte); unused lanes are 0.

    The caller marks the last beat with ``tlast``.
    """
    beats: list[list[Element]] = beats_of(elements, port.lanes, row)
    for lanes in beats:
        data = b"".join(element_to_bytes(port, element) for element in lanes)
        yield data.ljust(port.beat_bytes, b"\0"), (b"\1" * len(data)).ljust(port.beat_bytes, b"\0")
