"""The codebook look-up: a table and codes in, values out, a whole beat of codes every clock cycle; the tables are in memory blocks."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory, ReadPort, WritePort

from golden.params.codebook import CodebookError, CodebookParameters
from hdl.nm import State
from hdl.stream import decoder_members


def held_layout(p: CodebookParameters) -> data.StructLayout:
    """A beat of codes that waits to be looked up, beside the codes themselves."""
    return data.StructLayout({"valid": 1, "last": 1, "keep": p.lanes})


def found_layout(p: CodebookParameters) -> data.StructLayout:
    """A beat of codes that was looked up: whether its table was too ``long``, and which codes are ``outside`` it."""
    return data.StructLayout({"valid": 1, "last": 1, "long": 1, "keep": p.lanes, "outside": p.lanes})


class Tables:
    """Two tables: one is filled while the other is read, so that the next matrix waits for its table no longer than it must.

    Members:
        full: The table that is read is complete.
        limit: The number of its entries.
        long: It had more entries than codes can tell.
        drop: It is not needed any longer.
        reading: The bank that is read.
        writing, place, write: Where this cycle's entry goes, if any.
    """

    def __init__(self, p: CodebookParameters) -> None:
        self.full, self.long, self.drop = Signal(name="table_full"), Signal(name="table_long"), Signal(name="drop")
        self.limit = Signal(p.code_bits + 1, name="limit")
        self.reading, self.writing, self.write = Signal(name="reading"), Signal(name="writing"), Signal(name="write")
        self.place = Signal(p.code_bits + 1, name="place")

    def fill(self, m: Module, table: Any) -> None:
        """Take entries from the stream *table* as long as a bank is free."""
        full = [Signal(name=f"full_{bank}") for bank in range(2)]
        long = [Signal(name=f"long_{bank}", reset_less=True) for bank in range(2)]
        limits = [Signal.like(self.limit, name=f"limit_{bank}", reset_less=True) for bank in range(2)]
        over = Signal(name="over")  # the table being filled is longer than codes can tell
        beat, top = table.payload, self.place[-1]
        taken, count = Signal(name="entry_taken"), Signal.like(self.place, name="entries")
        m.d.comb += [
            *(port.eq(Mux(self.reading, *of[::-1])) for port, of in ((self.full, full), (self.long, long), (self.limit, limits))),
            table.ready.eq(~Mux(self.writing, *full[::-1])),
            taken.eq(table.valid & table.ready), self.write.eq(taken & beat.keep & ~top), count.eq(self.place + self.write),
        ]
        with m.If(taken):
            m.d.sync += [self.place.eq(Mux(beat.last, 0, count)), over.eq(~beat.last & (over | beat.keep & top))]
        complete = taken & beat.last
        m.d.sync += [self.reading.eq(self.reading ^ self.drop), self.writing.eq(self.writing ^ complete)]
        for bank in range(2):
            with m.If(complete & (self.writing == bank)):
                m.d.sync += [full[bank].eq(1), long[bank].eq(over | beat.keep & top), limits[bank].eq(count)]
            with m.Elif(self.drop & (self.reading == bank)):
                m.d.sync += full[bank].eq(0)


class CodebookDecoder(wiring.Component):
    """Codebook look-up: for each matrix a table of up to ``2**code_bits`` values, then *lanes* codes a beat, each the number of a value.

    Rate: one beat, *lanes* weights, per clock cycle, without an idle cycle between matrices but where the next table, one entry per
    clock cycle, is not complete: it is taken while the matrix before is decoded.
    Latency: 3 clock cycles from the code beat, if shape and table came before.
    ``code.ready`` and ``shape.ready`` follow ``weight.ready`` combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape: One beat starts a matrix: its number of weights.
        table: The entries of the table, that of code 0 first; ``last`` with the last one. A beat without ``keep`` is an empty table.
        code: *lanes* codes a beat, ``keep`` set from lane 0 upward; ``last`` with the last beat of a matrix, which alone may be partial. A
            matrix of no weights has one beat without ``keep``.
        weight: *lanes* weights a beat. ``error`` on the last beat: 1 the codes ended early or a beat lacks a code, 3 a code is not that of
            an entry (either way the weights of this beat and all after it are 0), 2 the codes went on too long or the table has too many
            entries (then all weights are 0). What is left of the codes is dropped up to its ``last``.

    Source: Han et al., ICLR 2016; what is ours is said in docs/codebook.md.
    """

    def __init__(self, parameters: CodebookParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        # What an output beat has to be, beside its weights.
        beat = Signal(data.StructLayout({"valid": 1, "zero": 1, "last": 1, "error": 2, "keep": p.lanes}), name="beat")
        taken = Signal(name="beat_taken")
        advance = Signal()  # the output side can take a beat
        found, values = self._look_up(m, taken)
        self._control(m, found, beat, taken, advance)
        self._give(m, beat, values, advance)
        return m

    def _look_up(self, m: Module, taken: Value) -> tuple[Any, list[Value]]:
        """The next beat of codes, until it is *taken*: what is to know of it, and what the table holds for its codes.

        As each matrix has one ``last`` in the codes and one in the table, which table is read follows from the codes alone.
        """
        p, code = self.parameters, self.code
        tables = Tables(p)
        tables.fill(m, self.table)
        codes = Signal(data.ArrayLayout(p.code_bits, p.lanes), name="codes", reset_less=True)
        held = Signal(held_layout(p), name="held")
        found = Signal(found_layout(p), name="found")
        step, moves = Signal(name="look_up"), Signal(name="codes_move")
        m.d.comb += [step.eq(~found.valid | taken), moves.eq(step & held.valid & tables.full), tables.drop.eq(moves & held.last)]
        m.d.comb += code.ready.eq(~held.valid | moves)
        with m.If(code.ready):
            m.d.sync += [codes.eq(code.payload.data), held.last.eq(code.payload.last), held.keep.eq(code.payload.keep)]
            m.d.sync += held.valid.eq(code.valid & (code.payload.keep[0] | code.payload.last))
        with m.If(step):
            m.d.sync += [found.valid.eq(moves), found.last.eq(held.last), found.keep.eq(held.keep), found.long.eq(tables.long)]
            m.d.sync += [outside.eq(number >= tables.limit) for outside, number in zip(found.outside, codes, strict=True)]
        layout: dict[str, Any] = {"addr_width": p.code_bits + 1, "shape": p.value_bits}
        values = []
        for lane in range(p.lanes):
            m.submodules[f"table_{lane}"] = memory = Memory(shape=p.value_bits, depth=2 * p.entries, init=[])
            write = WritePort(WritePort.Signature(**layout), memory=memory, domain="sync", path=(f"write_{lane}",))
            read = ReadPort(ReadPort.Signature(**layout), memory=memory, domain="sync", path=(f"read_{lane}",))
            m.d.comb += [write.en.eq(tables.write), write.addr.eq(Cat(tables.place[:-1], tables.writing))]
            m.d.comb += [write.data.eq(self.table.payload.data[0]), read.en.eq(step), read.addr.eq(Cat(codes[lane], tables.reading))]
            values.append(read.data)
        return found, values

    def _control(self, m: Module, found: Any, beat: Any, taken: Signal, advance: Signal) -> None:
        """Take shapes and beats of codes, count, and say in *beat* what this cycle gives."""
        state = Signal(State)
        start = Signal()  # the matrix is complete, or there is none: the next may start
        final = self._count(m, start, beat.valid & advance, beat.keep)
        over = Signal(name="codes_over")  # the last beat of codes was taken
        code = Signal(CodebookError, name="first_error")  # that ended the decoding
        lacking, outside = (beat.keep & ~found.keep).any(), (beat.keep & found.outside).any()
        more = (found.keep & ~beat.keep).any() | ~found.last
        m.d.comb += [beat.last.eq(final), self.shape.ready.eq(start)]
        with m.Switch(state):
            with m.Case(State.IDLE):
                m.d.comb += start.eq(1)
            with m.Case(State.DECODE):
                with m.If(found.valid & advance):
                    m.d.comb += taken.eq(1)
                    m.d.sync += [over.eq(found.last), code.eq(Mux(lacking, CodebookError.SHORT, CodebookError.RANGE))]
                    with m.If(found.long):
                        m.d.sync += code.eq(CodebookError.LONG)
                    with m.If(found.long | lacking | outside):
                        m.d.sync += state.eq(State.PAD)
                    with m.Else():
                        m.d.comb += [beat.valid.eq(1), start.eq(final & found.last)]
                        with m.If(final):
                            m.d.sync += state.eq(State.DRAIN)
                        with m.Elif(found.last):
                            m.d.sync += [state.eq(State.PAD), code.eq(CodebookError.SHORT)]
                m.d.comb += beat.error.eq(Mux(final & more, CodebookError.LONG, CodebookError.NONE))
            with m.Case(State.PAD):
                m.d.comb += [beat.valid.eq(1), beat.zero.eq(1), beat.error.eq(Mux(final, code, CodebookError.NONE))]
                with m.If(final & advance):
                    m.d.sync += state.eq(State.DRAIN)
            with m.Case(State.DRAIN):
                m.d.comb += [taken.eq(~over), start.eq(over)]
                m.d.sync += over.eq(over | found.valid & found.last)
        with m.If(start):
            m.d.sync += state.eq(Mux(self.shape.valid, State.DECODE, State.IDLE))

    def _count(self, m: Module, start: Signal, given: Value, keep: Value) -> Value:
        """Whether the current beat is the matrix's last; *keep*: its lanes that are in the matrix. A beat is *given*."""
        p = self.parameters
        count, bits = self.shape.payload.data[0], p.lane_bits
        # Beats after this one, less one if it is full: its sign, a register's bit and no comparison, says that the beat is the last.
        following = Signal(signed(p.count_bits - bits + 1))
        rest = Signal(p.lanes, reset_less=True)  # lanes of the last beat
        final = following[-1]
        with m.If(start):
            partial = count[:bits] != 0 if bits else Const(0)
            m.d.sync += following.eq(count[bits:] - Mux(partial, 1, 2))
            inside = [partial & (count[:bits] >= lane + 1) for lane in range(p.lanes - 1)]
            m.d.sync += rest.eq(Cat(~partial & (count != 0) | more for more in [*inside, Const(0)]))
        with m.Elif(given):
            m.d.sync += following.eq(following - 1)
        m.d.comb += keep.eq(rest | (~final).replicate(p.lanes))
        return final

    def _give(self, m: Module, beat: Any, values: list[Value], advance: Signal) -> None:
        """Register what the tables hold, or zeros."""
        weight = self.weight
        m.d.comb += advance.eq(~weight.valid | weight.ready)
        with m.If(advance):
            m.d.sync += [weight.valid.eq(beat.valid), weight.payload.last.eq(beat.last), weight.payload.error.eq(beat.error)]
            m.d.sync += weight.payload.keep.eq(beat.keep)
        for lane, value in enumerate(values):
            # In this form it is the reset input of the lane's flip-flops that clears them, and takes no logic a bit.
            with m.If(advance & (beat.zero | ~beat.keep[lane])):
                m.d.sync += weight.payload.data[lane].eq(0)
            with m.Elif(advance):
                m.d.sync += weight.payload.data[lane].eq(value)


DECODER = CodebookDecoder
