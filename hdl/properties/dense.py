"""Any stream of dense beats: what stands in the place of a decoder where what comes behind it is proven by itself."""

from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module
from amaranth.lib import wiring

from golden.params.base import Field, Port, check_range
from golden.params.lanes import LaneParameters
from hdl.stream import decoder_members


@dataclass(frozen=True, kw_only=True)
class DenseParameters(LaneParameters):
    """A "decoder" whose encoded stream is what it gives.

    Attributes:
        lanes: Weights a beat.
        value_bits: Width of a weight.
        rows_apart: Whether beats in the midst of a matrix may be partial.
    """

    format: ClassVar[str] = "properties.dense"

    lanes: int = 2
    value_bits: int = 1
    rows_apart: bool = False

    def _check(self) -> None:
        check_range("value_bits", self.value_bits, 1, 64)
        self._check_lanes()

    def _slug(self) -> str:
        return f"dense_n{self.lanes}"

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``dense``: the weights of a beat, each with a code; that of lane 0 is the beat's error."""
        return (Port("dense", (Field("value", self.value_bits), Field("code", 3)), lanes=self.lanes),)

    @property
    def output(self) -> Port:
        """``weight``, as decoders have it."""
        return Port("weight", (Field("weight", self.value_bits),), lanes=self.lanes, user_bits=3)

    @property
    def latency(self) -> int:
        """0: a beat goes through as it is."""
        return 0


class Dense(wiring.Component):
    """Gives the beats of ``dense`` as they are, lawful or not; takes the shape of a matrix with its last beat."""

    def __init__(self, parameters: DenseParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape, dense, weight = self.shape, self.dense, self.weight
        beat, given = dense.payload, weight.payload
        m.d.comb += [
            weight.valid.eq(dense.valid & shape.valid), dense.ready.eq(weight.ready & shape.valid),
            shape.ready.eq(weight.ready & dense.valid & beat.last),
            given.keep.eq(beat.keep), given.last.eq(beat.last), given.error.eq(beat.data[0].code),
            *(mine.eq(lane.value) for mine, lane in zip(given.data, beat.data, strict=True)),
        ]
        return m


DECODER = Dense
