"""How the registers of a decoder of pairs stand to its model: what makes the proof inductive."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.params.pairs import GROUP, PairParameters
from hdl.properties.invariants import Invariants
from hdl.properties.model import Phase
from hdl.properties.spec import Internals
from hdl.rlc_lanes import choose


class PairInvariants(Invariants):
    """The invariants of one decoder.

    Attributes:
        base: Elements that stand in the beat at hand before the oldest word, as its places are counted.
        gave: Beats that the oldest word has given.
    """

    p: PairParameters

    def __init__(self, m: Module, model: Any, internals: Internals) -> None:
        super().__init__(m, model, internals)
        self.base, self.gave = Signal(self.p.lane_bits), Signal(self.p.count_bits + 1)
        oldest = model.words.entry0
        with m.If(model.leave):
            m.d.sync += [self.base.eq(self._after(oldest, self.base)), self.gave.eq(0)]
        with m.Elif(model.give):
            m.d.sync += self.gave.eq(self.gave + 1)

    def hold(self) -> None:
        self._control()
        self._words()
        self._hand()
        self._beats()

    def _places(self, word: Any, *, group: int = 0) -> list[Value]:
        """For each pair the elements of the word, or of its group of pairs, before its level, as if all pairs were there."""
        places: list[Value] = []
        end: Value = Const(0)
        for i, (run, _) in enumerate(self.model.pairs(word)):
            end = Const(0) if group and i % group == 0 else end
            places.append(end + run)
            end = end + run + 1
        return places

    def _end(self, word: Any) -> Value:
        """The elements of the word, one pair at least."""
        first, *others = self._places(word)
        end = first + 1
        for there, place in zip(self.model.there(word)[1:], others, strict=True):
            end = Mux(there, place + 1, end)
        return end

    def _after(self, word: Any, base: Value) -> Value:
        """What *base* is after the word; one that is not the last and lacks pairs is an error, and then it means nothing."""
        return Mux(word.last, 0, (base + self._places(word)[-1] + 1)[: self.p.lane_bits])

    def _control(self) -> None:
        """State, count and shapes."""
        p, m, model = self.p, self.m, self.model
        idle, decode, drain, known = (self._get(name) for name in ("idle", "decode", "drain", "known"))
        at_work = decode | drain
        self._must(idle + decode + drain == 1, "one state")
        self._must(model.shapes.level == at_work + known, "as many shapes wait")
        self._must((model.phase == Phase.DROP) == drain, "what follows is dropped")
        self._must(drain | (model.phase == Phase.READ) | decode & (model.phase == Phase.PAD), "the phase")
        for i, count in enumerate(model.shapes.entries):
            with m.If(known & (at_work == i)):
                self._must(self._get("next_count") == count, f"the next shape, {i} before it")
        self._must(decode | ~model.begun | drain, "an idle decoder has begun no matrix")
        with m.If(decode):
            beats = (model.left + (p.lanes - 1)) >> p.lane_bits
            self._must(self._get("following") == Mux(model.left == 0, -2, beats - 2), "the beats that follow")
            self._must((model.left == 0) | (self._get("top") == (model.left - 1)[: p.lane_bits]), "the last lane")
            self._must(~model.begun | (model.left != 0), "a matrix that has begun has elements left")
        with m.If(model.phase == Phase.READ):
            self._must(self.base + model.used == model.have + (self.gave << p.lane_bits), "the elements left over")
            self._must((self.gave == 0) | (model.have == 0), "a word that gave a beat took what was left over")
            self._must(model.used >= 0, "what is used")
            self._must((self.gave != 0) | (model.used == 0), "a new word is not used")
            empty = (model.have == 0) & (model.used == 0) & (self.gave == 0)
            self._must(~decode | (model.left != 0) | empty, "nothing is left over in a matrix without elements")
            self._must(model.missing < (1 << p.count_bits), "no more is missing than a matrix can have")
            self._must(model.used < (1 << p.count_bits), "no more is used than a matrix can have")
            self._must(~decode | (model.left == 0) | (model.missing > 0), "elements are missing")
            self._must(decode | (model.have == 0) & (model.used == 0), "nothing is left over between matrices")
        with m.If(model.phase == Phase.PAD):
            self._must((model.have >= model.left) & (model.left <= p.lanes), "all elements are left over")
            self._must((model.used == 0) & (self.gave == 0), "the next word has given nothing")
            self._must(self.base >= model.left, "what follows is past the count")
        with m.If(drain):
            self._must((self.gave == 0) & (model.have == 0) & (model.used == 0), "nothing is left over of what is dropped")

    def _words(self) -> None:
        """The words in the stages are those that were taken, and what the stages made of them."""
        queue, base, ahead = self.model.words, self.base, Const(0)
        bases = [base]
        for entry in queue.entries[:-1]:
            bases.append(self._after(entry, bases[-1]))
        for stage in self._stages():
            full = self._get(f"{stage}_valid")
            with self.m.If(~full):
                self._must(Cat(self._get(f"{stage}_{flag}") for flag in ("good", "bad", "last")) == 0, f"no {stage} word")
            for i, (entry, start) in enumerate(zip(queue.entries, bases, strict=True)):
                with self.m.If(full & (ahead == i)):
                    self._word(stage, entry, start, f"{stage} word, {i} before it")
            ahead = ahead + full
            if stage == "placed":
                for i, start in enumerate([*bases, self._after(queue.entries[-1], bases[-1])]):
                    with self.m.If((ahead == i) & self._follows(i)):
                        self._must(self._get("fill") == start, f"the elements before the next word, {i} before it")
        self._must(queue.level == ahead, "as many words are inside")

    def _stages(self) -> list[str]:
        """The registers that hold words, the oldest first."""
        return ["word", "placed", *["joined"][: self.p.pairs_per_word > GROUP], "summed"]

    def _known(self, word: Any) -> Value:
        """Whether it is known what the word holds; of one that is dropped nothing needs to be but that it is the last."""
        return Const(1)

    def _follows(self, ahead: int) -> Value:
        """Whether it is known where the word behind *ahead* others starts."""
        return Const(1)

    def _word(self, stage: str, word: Any, start: Value, what: str) -> None:
        self._must(self._get(f"{stage}_last") == word.last, f"last of the {what}")
        with self.m.If(self._known(word)):
            self._content(stage, word, start, what)

    def _content(self, stage: str, word: Any, start: Value, what: str) -> None:
        model = self.model
        pairs, there = model.pairs(word), model.there(word)
        bad, good = model.bad(word), model.good(word)
        some = self.p.some_missing
        self._must(good | bad | word.last, f"there is something in the {what}")
        each = Cat(good & one for one in there) if some and stage in ("word", "placed") else good
        for name, true in (("good", each), ("bad", bad)):
            self._must(self._get(f"{stage}_{name}") == true, f"{name} of the {what}")
        for i, (_, level) in enumerate(pairs):
            self._must(self._get(f"{stage}_level_{i}") == level, f"level {i} of the {what}")
        if not some:
            zero = [(run == 0) & (level == 0) for run, level in pairs]
            for i in range(len(pairs) - 1):
                self._must(self._get(f"{stage}_rest_zero_{i}") == Cat(zero[i + 1 :]).all(), f"pairs after {i} of the {what}")
        elif stage not in ("word", "placed"):
            for i, one in enumerate(there):
                self._must(self._get(f"{stage}_there_{i}") == one, f"pair {i} of the {what} is there")
        if getattr(self.p, "terminator", False):
            self._must(self._get(f"{stage}_closed_0") == model.closed(word), f"zeros follow the {what}")
        self._placed(stage, word, start, what)

    def _placed(self, stage: str, word: Any, start: Value, what: str) -> None:
        """The places of a word's levels, counted from where the stage says."""
        offset = start if stage == "placed" else Const(0)
        places = self._places(word, group=GROUP if stage == "summed" else 0)
        if stage == "placed":
            self._must(self._get(f"placed_place_{len(places)}") == self._end(word) + start, f"the end of the {what}")
        if stage != "word":
            for i, place in enumerate(places):
                self._must(self._get(f"{stage}_place_{i}") == place + offset, f"place {i} of the {what}")

    def _hand(self) -> None:
        """The word at hand, as far as its beats are given."""
        p, m, gave, word = self.p, self.m, self.gave, self.model.words.entry0
        good = [self.model.good(word) & there for there in self.model.there(word)]
        places = [place + self.base for place in (*self._places(word), self._end(word))]
        beats, whole = [place >> p.lane_bits for place in places[:-1]], places[-1] >> p.lane_bits
        ends, full = word.last | self.model.bad(word), good[0] & (whole > gave)
        covered, final = self._get("covered"), self.model.left <= p.lanes
        with m.If(~self._get("word_valid")):
            self._must(gave == 0, "no word has given a beat")
            flags = [f"{flag}_{i}" for flag in ("here", "next") for i in range(p.pairs_per_word)]
            self._must(Cat(self._get(flag) for flag in ("gives", "closes", *flags)) == 0, "no word gives a beat")
        with m.Elif(self._known(word)):
            for i, beat in enumerate(beats):
                if p.lanes > 1:
                    self._must(self._get(f"lane_{i}") == places[i][: p.lane_bits], f"lane {i}")
                self._must(self._get(f"beat_{i}") == beat, f"beat {i}")
                self._must(self._get(f"here_{i}") == (good[i] & (beat == gave)), f"level {i} is here")
                coming = good[i] & Mux(gave == 0, (beat == 1) | ~full & ~word.last, full & (beat == gave + 1))
                self._must(self._get(f"next_{i}") == coming, f"level {i} is next")
            if p.lanes > 1:
                self._must(self._get("word_fill") == places[-1][: p.lane_bits], "the elements after the word")
            self._must(ends | (gave == 0) | (gave < whole), "a word stays for the beats that it fills, unless its code ends")
            self._must(self._get("whole") == whole, "the beats of the word")
            self._must(self._get("next_after") == (gave + 2)[: len(self._get("next_after"))], "the beat after the next")
            done = Mux(gave == 0, whole <= 1, whole == (gave + 1)[: len(self._get("whole"))])
            self._must(self._get("full") == full, "the beat at hand is full")
            self._must(self._get("done") == done, "the last full beat")
            self._must(self._get("past") == ~(good[0] & ((gave == 0) | (whole >= gave))), "nothing of the word is in the beat at hand")
            self._must(self._get("ends") == ends, "the word ends its code")
            self._must(self._get("gives") == (full | ends), "the beat at hand goes out")
            self._must(self._get("closes") == (full | ends | covered), "it goes out as the last")
            self._must(self._get("moves") == (self._get("done") & ~ends), "the word goes")
            self._must((gave == 0) | ~covered, "a word that gave a beat is not past the count")
        self._must(~self._get("idle") | ~covered, "no matrix is complete between matrices")
        with m.If(self._get("decode") & final):
            self._must(covered == (self.model.phase == Phase.PAD), "the matrix has all of its elements")

    def _beats(self) -> None:
        """Output beats on their way, and what is left over for them."""
        p = self.p
        chosen, given = self._get("chosen_beat"), self._get("given_beat")
        levels = [self._get(f"lanes.chosen_level_{i}") for i in range(p.pairs_per_word)]
        kept = chosen[2 : 2 + p.lanes]
        rests, data = [], []
        for lane in range(p.lanes):
            rest = self._get(f"lanes.rest_{lane}") if p.lanes > 1 else Const(0, p.level_bits)
            data.append(Mux(kept[lane], choose(self._get(f"lanes.select_{lane}"), [rest, *levels]), 0)[: p.level_bits])
            self._must(self._get(f"lanes.chosen_keep_{lane}") == kept[lane], f"keep of lane {lane}")
            if p.lanes > 1:
                load = self._get(f"lanes.load_{lane}")
                cleared = self._get("lanes.chosen_clear") | self._get("lanes.chosen_give") & ~load
                loaded = choose(self._get(f"lanes.load_select_{lane}"), levels)
                rests.append(Mux(cleared, 0, Mux(load, loaded, rest))[: p.level_bits])
        if p.lanes > 1:
            self._must(self._get("lanes.chosen_give") == chosen[0], "the beat is given")
        outs = [self._get(f"lanes.data_{lane}") for lane in range(p.lanes)]
        slots = [
            ("output register", given[0], Cat(*outs, given[2 : 2 + p.lanes], given[1], given[2 + p.lanes :])),
            ("chosen beat", chosen[0], Cat(*data, kept, chosen[1], chosen[2 + p.lanes :])),
        ]
        self._owed(slots)
        if rests:
            self._rests(rests, given)

    def _rests(self, rests: list[Value], given: Value) -> None:
        """What is left over, or the level of the word at hand that is put in its place anyway."""
        model, pairs = self.model, range(self.p.pairs_per_word)
        with self.m.If(self._get("decode")):
            for lane, rest in enumerate(rests):
                hits = [self._get(f"here_{i}") & (self._get(f"lane_{i}") == lane) for i in pairs]
                hit = self._get("word_valid") & reduce(or_, hits)
                self._must(hit | (rest == model.over[lane]), f"what is left over in lane {lane}")
        for lane, over in enumerate(model.over):
            self._must((lane < model.have) | (over == 0), f"nothing is left over in lane {lane}")
        with self.m.If(self._get("idle")):
            self._must((Cat(rests) == 0) | (~self._get("known") & ~given[0]), "nothing is left over between matrices")
