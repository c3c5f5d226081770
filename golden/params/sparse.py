"""Parameters of the sparse view: any decoder of weights, its zeros skipped."""

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Parameters, Port, check


@dataclass(frozen=True, kw_only=True)
class SparseParameters(Parameters):
    """The sparse view of a decoder that gives weights: position and value of each that is not 0, for a consumer that skips zeros.

    Attributes:
        of: The decoder, of any format whose output is ``weight``; without a skid buffer of its own.
        count_bits: That of the decoder.
    """

    format: ClassVar[str] = "sparse"
    view: ClassVar[bool] = True

    of: Parameters

    def __post_init__(self) -> None:
        if not isinstance(self.of, Parameters):
            raise TypeError(f"of must be the parameters of a decoder, was {self.of!r}")
        object.__setattr__(self, "count_bits", self.of.count_bits)
        super().__post_init__()

    def _check(self) -> None:
        check(self.of.output.name == "weight", "of", "a decoder that gives weights", self.of.name)
        _ = self.position_bits  # checks the shape
        check(not self.of.skid, "of", "without a skid buffer (skid of the view cuts the same path)", self.of.name)

    def _slug(self) -> str:
        return f"sparse_{self.of.format}_n{self.of.output.lanes}"

    @property
    def errors(self) -> type[enum.IntEnum]:  # type: ignore[override]
        """Those of the decoder."""
        return self.of.errors

    @property
    def shape(self) -> Port:
        """That of the decoder."""
        return self.of.shape

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Those of the decoder."""
        return self.of.inputs

    @property
    def position_bits(self) -> int:
        """As many as the position of the last weight of the largest matrix needs."""
        return (self.of.weights_of([(1 << field.bits) - 1 for field in self.of.shape.fields]) - 1).bit_length() or 1

    @property
    def output(self) -> Port:
        """``survivor``: the position of a weight in its matrix, row-major, and its value; one a beat."""
        weight = self.of.output
        fields = Field("position", self.position_bits), Field("value", weight.fields[0].bits)
        return Port("survivor", fields, user_bits=weight.user_bits)

    @property
    def latency(self) -> int:
        """3 more than the decoder's, to a survivor that is followed by another in its own beat or the next; 1 more for *skid*."""
        return self.of.latency + 3 + self.skid

    def to_dict(self) -> dict[str, Any]:
        """As for others; ``of`` holds the decoder's own values."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {"format": self.format} | values | {"of": self.of.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Parameters from the mapping that :meth:`to_dict` gives."""
        given = dict(values)
        if isinstance(inner := given.get("of"), Mapping):
            known = {kind.format: kind for kind in _kinds()}
            check(inner.get("format") in known, "the format of of", f"one of {', '.join(known)}", inner.get("format"))
            given["of"] = known[inner["format"]].from_dict(inner)
        return super().from_dict(given)


def _kinds(base: Any = Parameters) -> Iterator[type[Parameters]]:
    """The parameter classes of all formats: those derived from *base*."""
    for kind in base.__subclasses__():
        if hasattr(kind, "format"):
            yield kind
        yield from _kinds(kind)
