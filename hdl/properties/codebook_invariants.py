"""How the codebook look-up's registers and memory stand to its model: what makes the proof inductive."""

from amaranth.hdl import Mux, Value
from amaranth.lib import data

from golden.params.codebook import CodebookParameters
from hdl.codebook import found_layout, held_layout
from hdl.properties.invariants import DECODE, DRAIN, PAD, Invariants


class CodebookInvariants(Invariants):
    """The invariants of one decoder."""

    p: CodebookParameters

    def hold(self) -> None:
        self._control()
        self._banks()
        self._memory()
        self._beats()
        self._owed([("output register", self._get("weight__valid"), self._get("weight__payload"))])

    def _control(self) -> None:
        """State, count and the first error."""
        p, m, model, state = self.p, self.m, self.model, self._state()
        with m.If((state == DECODE) | (state == PAD)):
            beats, top = (model.left + (p.lanes - 1)) >> p.lane_bits, model.left[: p.lane_bits]
            self._must(self._get("following") == beats - 2, "the count")
            for lane in range(p.lanes):
                self._must(self._get("rest")[lane] == (model.left != 0) & ((top == 0) | (top > lane)), f"lane {lane} of the last beat")
        with m.If((state == PAD) | (state == DRAIN)):
            self._must(self._get("codes_over") == model.over, "the codes are over")
        with m.If(state == PAD):
            self._must(self._get("first_error") == model.first, "the error")

    def _banks(self) -> None:
        """Which bank is full, which is read and which is written."""
        m, model, tables = self.m, self.model, self.model.tables
        reading, writing = self._get("reading"), self._get("writing")
        full = [self._get(f"full_{bank}") for bank in range(2)]
        self._must(tables.level == full[0] + full[1], "as many tables are complete")
        self._must(writing == reading ^ tables.level[0], "the bank that is written")
        self._must((tables.level == 0) | Mux(reading, full[1], full[0]), "the older table is read")
        self._must(self._get("place") == model.place, "entries of the table that is not complete")
        self._must(self._get("over") == model.long, "it is too long")
        self._must((tables.level != 2) | (model.place == 0) & ~model.long, "no table is begun while both banks are full")
        self._must(model.place <= self.p.entries, "no more entries than codes can tell")
        for i, table in enumerate(tables.entries):
            for bank in range(2):
                with m.If((tables.level > i) & (reading == bank ^ i)):
                    self._must(self._get(f"limit_{bank}") == table.count, f"the entries of bank {bank}, {i} before it")
                    self._must(self._get(f"long_{bank}") == table.long, f"bank {bank} is too long, {i} before it")
            with m.If(tables.level > i):
                self._must(table.count <= self.p.entries, f"no more entries than codes can tell, {i} before them")

    def _memory(self) -> None:
        """The memory of each lane holds the tables."""
        p, m, model = self.p, self.m, self.model
        reading, writing = self._get("reading"), self._get("writing")
        for lane in range(p.lanes):
            for number in range(p.entries):
                for bank in range(2):
                    word = self._get(f"table_{lane}[{number + bank * p.entries}]")
                    for i, table in enumerate(model.tables.entries):
                        with m.If((model.tables.level > i) & (reading == bank ^ i) & (table.count > number)):
                            self._must(word == table.values[number], f"entry {number} of bank {bank} for lane {lane}, {i} before it")
                    with m.If((model.tables.level != 2) & (writing == bank) & (model.place > number)):
                        self._must(word == model.filling[number], f"entry {number} of bank {bank} for lane {lane}, not complete")

    def _beats(self) -> None:
        """Beats of codes, and what was looked up."""
        m, codes, seen = self.m, self.model.streams["code"], self.model.seen
        held = data.View(held_layout(self.p), self._get("held"))
        found = data.View(found_layout(self.p), self._get("found"))
        self._must(held.valid == codes.level, "codes are held")
        with m.If(held.valid):
            beat = codes.entry0
            self._must((held.last == beat.last) & (held.keep == beat.keep), "of the codes what is kept")
            self._must(self._get("codes") == Value.cast(beat.data), "the codes")
        self._must(found.valid == seen.level, "codes were looked up")
        with m.If(found.valid):
            beat = seen.entry0
            self._must((found.last == beat.last) & (found.keep == beat.keep) & (found.long == beat.long), "of what was looked up")
            self._must(found.outside == beat.outside, "codes outside the table")
            for lane, value in enumerate(beat.values):
                read = self._get(f"table_{lane}.read_{lane}__data")
                self._must(beat.outside[lane] | (read == value), f"what was looked up in lane {lane}")
