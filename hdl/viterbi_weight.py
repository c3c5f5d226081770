"""The Viterbi weight decompressor: compressed mask bits and packed values of the survivors in, all weights out."""

from dataclasses import replace

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.fifo import SyncFIFOBuffered

from golden.params.viterbi_weight import ViterbiWeightParameters
from hdl.bitmap import BitmapDecoder
from hdl.stream import decoder_members
from hdl.viterbi import ViterbiDecompressor

QUEUE = 6  # shapes that wait: as many as matrices of one beat need to follow one another without an idle cycle; 1 more for *pipeline*


class ViterbiWeightDecompressor(wiring.Component):
    """Viterbi weight decompressor: a Viterbi decompressor gives the masks, a bitmap decoder puts the values in their place.

    Rate: one beat, ``n * q`` weights, per clock cycle, without an idle cycle between blocks or matrices, as long as values come as fast
    as survivors are needed.
    Latency: ``parameters.latency`` clock cycles from shape and index beat, where the values wait already.
    ``value.ready`` follows ``weight.ready`` combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape, index: As in :class:`hdl.viterbi.ViterbiDecompressor`.
        value: As in :class:`hdl.bitmap.BitmapDecoder`.
        weight: ``n * q`` weights a beat. ``error`` on the last beat: 1 the index or the values ended early (weights from there on are 0),
            2 one of the two went on too long. What is left of the streams is dropped up to their ``last``.

    Source: Lee et al., ICLR 2018; what is ours is said in docs/viterbi_weight.md.
    """

    def __init__(self, parameters: ViterbiWeightParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        m.submodules.decompressor = decompressor = ViterbiDecompressor(p.mask)
        # Its masks end where the matrix does. What is left to be told is which lanes the last one has.
        told = min(p.count_bits, max((p.mask_bits - 1).bit_length(), 2))
        m.submodules.bitmap = bitmap = BitmapDecoder(replace(p.expansion, count_bits=told), exact_masks=True)
        wiring.connect(m, wiring.flipped(self.index), decompressor.index)
        wiring.connect(m, decompressor.mask, bitmap.mask)
        wiring.connect(m, wiring.flipped(self.value), bitmap.value)
        wiring.connect(m, wiring.flipped(self.weight), bitmap.weight)
        # Both take a shape at once. The masks come late, so that shapes queue up for the bitmap decoder.
        m.submodules.shapes = shapes = SyncFIFOBuffered(width=told, depth=QUEUE + p.pipeline)
        shape = self.shape
        m.d.comb += [
            bitmap.shape.valid.eq(shapes.r_rdy), bitmap.shape.payload.data[0].eq(shapes.r_data), shapes.r_en.eq(bitmap.shape.ready),
            decompressor.shape.valid.eq(shape.valid & shapes.w_rdy), decompressor.shape.payload.eq(shape.payload),
            shapes.w_data.eq(shape.payload.data[0]), shapes.w_en.eq(shape.valid & decompressor.shape.ready),
            shape.ready.eq(shapes.w_rdy & decompressor.shape.ready),
        ]
        return m


DECODER = ViterbiWeightDecompressor
