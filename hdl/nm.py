"""The N:M decoder: indices and values of the survivors in, all weights out, several groups every clock cycle."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, enum, wiring

from golden.params.nm import NmError, NmParameters
from hdl.stream import decoder_members


class State(enum.Enum, shape=2):  # type: ignore[call-arg]
    """What the control does: wait for a shape, decode pairs of beats, pad with zeros after an error, drop what is left of the input."""

    IDLE = 0
    DECODE = 1
    PAD = 2
    DRAIN = 3


class IndexBeat:
    """An index beat, held in registers until it is taken.

    Members:
        valid: There is one.
        taken: It is not needed any longer.
        indices: n of each group.
        unordered: The groups whose indices do not increase.
        keep, last: As in the stream.
    """

    def __init__(self, p: NmParameters) -> None:
        self.valid = Signal(name="index_valid")
        self.taken = Signal(name="index_taken")
        layout = data.ArrayLayout(data.ArrayLayout(p.index_bits, p.n), p.groups)
        self.indices = Signal(layout, reset_less=True)
        self.unordered = Signal(p.groups, reset_less=True)
        self.keep = Signal(reset_less=True, name="index_keep")
        self.last = Signal(reset_less=True, name="index_last")

    def hold(self, m: Module, index: Any) -> None:
        """Take the next beat of *index* as soon as there is room; skip those without data that are not the last."""
        beat, given = index.payload, Signal.like(self.indices, name="index_given")
        m.d.comb += [index.ready.eq(~self.valid | self.taken), given.eq(beat.data[0])]
        with m.If(index.ready):
            m.d.sync += [self.valid.eq(index.valid & (beat.keep | beat.last)), self.keep.eq(beat.keep), self.last.eq(beat.last)]
            m.d.sync += self.indices.eq(given)
            for g, stored in enumerate(given):
                m.d.sync += self.unordered[g].eq(Cat(stored[i + 1] <= stored[i] for i in range(len(stored) - 1)).any())


class ValueBeat:
    """A value beat, held in registers until it is taken.

    Members:
        valid: There is one.
        taken: It is not needed any longer.
        values: n of each group.
        some, every: The groups of which it has a value, and those of which it has all.
        last: As in the stream.
    """

    def __init__(self, p: NmParameters) -> None:
        self.valid = Signal(name="value_valid")
        self.taken = Signal(name="value_taken")
        layout = data.ArrayLayout(data.ArrayLayout(p.value_bits, p.n), p.groups)
        self.values = Signal(layout, reset_less=True)
        self.some = Signal(p.groups, reset_less=True, name="value_some")
        self.every = Signal(p.groups, reset_less=True, name="value_every")
        self.last = Signal(reset_less=True, name="value_last")

    def hold(self, m: Module, value: Any) -> None:
        """Take the next beat of *value* as soon as there is room; skip those without data that are not the last."""
        beat = value.payload
        m.d.comb += value.ready.eq(~self.valid | self.taken)
        with m.If(value.ready):
            m.d.sync += [self.valid.eq(value.valid & (beat.keep[0] | beat.last)), self.values.eq(beat.data), self.last.eq(beat.last)]
            for g, stored in enumerate(self.values):
                there = beat.keep.word_select(g, len(stored))
                m.d.sync += [self.some[g].eq(there.any()), self.every[g].eq(there.all())]


class NmDecoder(wiring.Component):
    """N:M decoder: *n* indices and *n* values for every *m* weights, *groups* groups per clock cycle.

    Rate: one beat, ``groups * m`` weights, per clock cycle, without an idle cycle between matrices.
    Latency: 2 clock cycles from the last to come of shape, index beat and value beat.
    ``ready`` of all inputs follows ``weight.ready`` combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape: One beat starts a matrix: its number of weights.
        index: The indices of a beat's groups; ``last`` with the last beat of a matrix. What stands past the last group is not looked at.
        value: The values of a beat's groups; ``last`` with the last beat of a matrix. ``keep`` is set from lane 0 upward, for all values
            of all groups that have a weight in the matrix. A matrix of no weights has one beat without ``keep`` in either stream.
        weight: ``groups * m`` weights a beat. ``error`` on the last beat: 1 a stream ended early or a value beat lacks a value, 3 the
            indices of a group do not increase (either way the weights of this beat and all after it are 0), 2 a stream went on too
            long. What is left of the streams is dropped up to their ``last``.

    Source: NVIDIA's 2:4 structured sparsity; what is ours is said in docs/nm.md.
    """

    def __init__(self, parameters: NmParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # What an output beat has to be, beside its weights; `keep` tells its lanes that are in the matrix.
        beat = Signal(data.StructLayout({"valid": 1, "zero": 1, "last": 1, "error": 2}))
        keep = Signal(self.parameters.lanes)
        advance = Signal()  # the output side can take a beat
        # Neither stream may wait for the other, so a beat of either is held. What it tells of itself is found out on its way in.
        index, value = IndexBeat(self.parameters), ValueBeat(self.parameters)
        index.hold(m, self.index)
        value.hold(m, self.value)
        self._control(m, index, value, beat, keep, advance)
        self._give(m, index, value, beat, keep, advance)
        return m

    def _control(self, m: Module, index: IndexBeat, value: ValueBeat, beat: Any, keep: Signal, advance: Signal) -> None:
        """Take shapes and pairs of beats, count, and say in *beat* and *keep* what this cycle gives."""
        state = Signal(State)
        start = Signal()  # the matrix is complete, or there is none: the next may start
        surplus = self._count(m, start, beat.valid & advance)
        missing, disorder, more = self._judge(index, value, self._place(m, surplus, keep))
        over = Signal(2)  # the streams whose last beat was taken, index and value
        lasts = Cat(index.last, value.last)
        code = Signal(NmError)  # of the error that ended the decoding
        m.d.comb += [beat.last.eq(~surplus[-1]), self.shape.ready.eq(start)]

        with m.Switch(state):
            with m.Case(State.IDLE):
                m.d.comb += start.eq(1)
            with m.Case(State.DECODE):
                with m.If(index.valid & value.valid & advance):
                    m.d.comb += [index.taken.eq(1), value.taken.eq(1)]
                    m.d.sync += [over.eq(lasts), code.eq(Mux(disorder & ~missing, NmError.ORDER, NmError.SHORT))]
                    with m.If(missing | disorder):
                        m.d.sync += state.eq(State.PAD)
                    with m.Else():
                        m.d.comb += [beat.valid.eq(1), start.eq(beat.last & lasts.all())]
                        with m.If(beat.last | lasts.any()):
                            m.d.sync += state.eq(Mux(beat.last, State.DRAIN, State.PAD))
                m.d.comb += beat.error.eq(Mux(beat.last & more, NmError.LONG, NmError.NONE))
            with m.Case(State.PAD):
                m.d.comb += [beat.valid.eq(1), beat.zero.eq(1), beat.error.eq(Mux(beat.last, code, NmError.NONE))]
                with m.If(beat.last & advance):
                    m.d.sync += state.eq(State.DRAIN)
            with m.Case(State.DRAIN):
                m.d.comb += [index.taken.eq(~over[0]), value.taken.eq(~over[1]), start.eq(over.all())]
                m.d.sync += over.eq(over | (lasts & Cat(index.valid, value.valid)))
        with m.If(start):
            m.d.sync += state.eq(Mux(self.shape.valid, State.DECODE, State.IDLE))

    def _count(self, m: Module, start: Signal, given: Value) -> Signal:
        """How many lanes of all beats up to the current one are past the last weight; negative until the last beat, a beat is *given*."""
        p = self.parameters
        surplus = Signal(signed(p.count_bits + 1))
        middle = surplus[-1]
        # lanes - count at the start, then lanes more with every beat. One adder does both: -count = ~count + 1, and lanes is even.
        # That the last beat came is known from a register, that the matrix may end only late; so the former picks the operand.
        before = Mux(middle, surplus, Cat(~self.shape.payload.data[0], 1))
        with m.If((start & self.shape.valid) | (given & middle)):
            m.d.sync += surplus.eq(before + Cat(~middle, Const(p.lanes >> 1, p.count_bits)))
        return surplus

    def _place(self, m: Module, surplus: Signal, keep: Signal) -> Value:
        """Set *keep* for the lanes that are in the matrix; give for each group whether it has a weight in it."""
        p = self.parameters
        middle, low, high = surplus[-1], surplus[: p.index_bits], surplus[p.index_bits : p.lanes.bit_length()]
        inside = [Const(1), *(low < p.m - position for position in range(1, p.m))]
        used = []
        for g in range(p.groups):
            after = p.groups - 1 - g  # groups of the beat
            whole = middle | (high < after) if after else middle
            m.d.comb += keep.word_select(g, p.m).eq(Cat(whole | ((high == after) & here) for here in inside))
            used.append(whole | (high == after))
        return Cat(used)

    def _judge(self, index: IndexBeat, value: ValueBeat, used: Value) -> tuple[Value, Value, Value]:
        """Whether the pair lacks something, whether a group is out of order, and whether there is more than the last beat may have."""
        missing = (used & ~value.every).any() | (used[0] & ~index.keep)
        more = (~used & value.some).any() | (~used[0] & index.keep) | ~index.last | ~value.last
        return missing, (used & index.unordered).any(), more

    def _give(self, m: Module, index: IndexBeat, value: ValueBeat, beat: Any, keep: Signal, advance: Signal) -> None:
        """Put the values where the indices say, zeros elsewhere, and register the result."""
        p, weight = self.parameters, self.weight
        m.d.comb += advance.eq(~weight.valid | weight.ready)
        for lane in range(p.lanes):
            g, position = divmod(lane, p.m)
            # As indices increase, the first position can only be that of the first index, and so on.
            able = [i for i in range(p.n) if i <= position <= i + p.m - p.n]
            named = [index.indices[g][i] == position for i in able]
            chosen: Value = value.values[g][able[-1]]
            for i, here in reversed(list(zip(able[:-1], named[:-1], strict=True))):
                chosen = Mux(here, value.values[g][i], chosen)
            # In this form it is the reset input of the lane's flip-flops that clears them, and takes no logic a bit.
            with m.If(advance & ~(keep[lane] & Cat(named).any() & ~beat.zero)):
                m.d.sync += weight.payload.data[lane].eq(0)
            with m.Elif(advance):
                m.d.sync += weight.payload.data[lane].eq(chosen)
        with m.If(advance):
            m.d.sync += [weight.valid.eq(beat.valid), weight.payload.keep.eq(keep), weight.payload.last.eq(beat.last)]
            m.d.sync += weight.payload.error.eq(beat.error)


DECODER = NmDecoder
