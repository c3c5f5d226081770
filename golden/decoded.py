"""What a decoder gives for one matrix: the answer that every golden model returns and every bench compares with."""

from dataclasses import dataclass

from golden.bits import Element


@dataclass(frozen=True)
class Decoded:
    """The elements of one matrix in order, and the code of the first error (0 = none).

    Attributes:
        elements: As many as the shape promised, whatever came in.
        error: ``tuser`` of the last beat.
        row: Every *row* elements start a new beat; None when only the last beat may be partial.
    """

    elements: list[Element]
    error: int
    row: int | None = None
