"""The group decoder: CSR's decoder of dense rows, to which a group of weights is one number."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring

from golden.params.group import GroupParameters
from hdl.csr import CsrDecoder
from hdl.stream import decoder_members


class GroupDecoder(wiring.Component):
    """Gives rows of weights of which aligned groups of consecutive columns survive, each with one index.

    Rate, latency and errors are those of :class:`hdl.csr.CsrDecoder` with ``dense``, a surviving group taken for a survivor: so a beat of
    ``lanes`` weights takes as many cycles as it has surviving groups, at least one.

    Members:
        shape: One beat starts a matrix: rows, groups in a row and surviving groups.
        pointer: rows + 1 row pointers, in groups. ``last`` with the last of a matrix, on this stream as on the next two.
        column, value: The number in its row and the weights of each surviving group. A matrix of none has one beat without ``keep``
            on each.
        weight: Rows of weights, whole groups, each row from a new beat on; lanes past the row's end have no ``keep`` and are 0. ``error``
            on the last beat is a code of :class:`golden.params.csr.CsrError`.
    """

    def __init__(self, parameters: GroupParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.csr = csr = CsrDecoder(self.parameters.of)
        for port in (self.parameters.shape, *self.parameters.inputs):
            here, inside = getattr(self, port.name), getattr(csr, port.name)
            # The same bits in the same places, only that here each weight of a group has a name.
            m.d.comb += [
                inside.payload.as_value().eq(here.payload.as_value()),
                inside.valid.eq(here.valid),
                here.ready.eq(inside.ready),
            ]
        groups, weights = csr.weight, self.weight
        m.d.comb += [
            weights.payload.data.as_value().eq(groups.payload.data.as_value()),
            weights.payload.keep.eq(Cat(keep.replicate(self.parameters.group) for keep in groups.payload.keep)),
            weights.payload.last.eq(groups.payload.last),
            weights.payload.error.eq(groups.payload.error),
            weights.valid.eq(groups.valid),
            groups.ready.eq(weights.ready),
        ]
        return m


DECODER = GroupDecoder
