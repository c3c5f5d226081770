"""What all decoders of (run, level) pairs share: words of pairs in, one element a lane out, a word or a beat every clock cycle."""

from abc import abstractmethod
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring

from golden.params.base import Error
from golden.params.pairs import PairParameters
from hdl.rlc_lanes import RlcLanes
from hdl.rlc_words import Word, placed
from hdl.stream import decoder_members


class Hand:
    """The word at hand, and how it stands to the beat at hand: the one that is being filled.

    Members:
        word: Without its places.
        lane, beat: Of each level; beat 0 is the one in which the word starts.
        here, next: For each level, whether it falls in the beat at hand, or in the one after it. A word that completes no beat and is not
            the last leaves its levels for a beat that goes out later: they are *next*.
        whole, fill: Beats that the word completes, and elements that it gives the beat after them.
        full: The word fills the beat at hand to its end.
        done: The word fills no beat after the one at hand to its end.
        past: The word has no element in the beat at hand: there was an error.
        ends: The code ends with the word, or its marker is wrong: the beats up to the matrix's last are the word's.
        gives: The beat at hand goes out.
        closes: It goes out if it is the matrix's last.
        moves: The word goes, if the beat at hand is not the matrix's last.
        covered: Words before this one gave all elements of the beat at hand that the matrix has in it, if it is the last.
        next_after: The number of the beat after the next.
    """

    def __init__(self, p: PairParameters, placed: Word) -> None:
        pairs = range(p.pairs_per_word)
        beats = [place[p.lane_bits :] for place in placed.places]
        self.word = replace(placed, places=[]).registers("word")
        self.lane = [Signal(p.lane_bits, name=f"lane_{i}", reset_less=True) for i in pairs]
        self.beat = [Signal(len(beats[i]), name=f"beat_{i}", reset_less=True) for i in pairs]
        self.here = [Signal(name=f"here_{i}") for i in pairs]
        self.next = [Signal(name=f"next_{i}") for i in pairs]
        self.whole = Signal(len(beats[-1]), name="whole", reset_less=True)
        self.fill = Signal(p.lane_bits, name="word_fill", reset_less=True)
        self.full, self.done, self.past, self.ends = Signal(name="full"), Signal(name="done"), Signal(name="past"), Signal(name="ends")
        self.gives, self.closes, self.moves = Signal(name="gives"), Signal(name="closes"), Signal(name="moves")
        self.covered = Signal(name="covered")
        self.next_after = Signal(len(self.whole), name="next_after", reset_less=True)

    def take(self, placed: Word, covered: Value) -> list[Any]:
        """Statements that take the word *placed* in hand; *covered* tells of the words before it."""
        bits = len(self.fill)
        lanes, beats = [place[:bits] for place in placed.places], [place[bits:] for place in placed.places]
        levels = range(len(self.lane))
        full, done, ends = placed.has(0) & (beats[-1] != 0), beats[-1][1:] == 0, placed.last | placed.bad
        return [
            *self.word.follow(placed),
            *(self.lane[i].eq(lanes[i]) for i in levels),
            *(self.beat[i].eq(beats[i]) for i in levels),
            *(self.here[i].eq(placed.has(i) & (beats[i] == 0)) for i in levels),
            *(self.next[i].eq(placed.has(i) & ((beats[i] == 1) | ~full & ~placed.last)) for i in levels),
            self.whole.eq(beats[-1]), self.fill.eq(lanes[-1]), self.next_after.eq(2),
            self.full.eq(full), self.done.eq(done), self.past.eq(~placed.has(0)), self.ends.eq(ends),
            self.gives.eq(full | ends), self.closes.eq(full | ends | placed.valid & covered), self.moves.eq(done & ~ends),
            self.covered.eq(covered),
        ]

    def _more(self, pair: int) -> Value:
        """Whether the word has elements after the beat at hand, the pair's among them if it is not here."""
        more = self.full & ~self.done
        return more & self.word.has(pair) if len(self.word.good) > 1 else more

    def next_beat(self) -> list[Any]:
        """Statements that go on to the next beat: the word has elements in it, or ends a code that is too short."""
        full, done = self.full & ~self.done, self.whole == self.next_after
        return [
            *(here.eq(next_) for here, next_ in zip(self.here, self.next, strict=True)),
            *(self.next[i].eq(self._more(i) & (beat == self.next_after)) for i, beat in enumerate(self.beat)),
            self.next_after.eq(self.next_after + 1),
            self.full.eq(full), self.done.eq(done), self.past.eq(~self.full),
            self.gives.eq(self.ends | full), self.closes.eq(self.ends | full), self.moves.eq(done & ~self.ends),
            self.covered.eq(0),
        ]


class Control:
    """What the stages tell each other.

    Members:
        advance: The output side takes a beat.
        leave: The next word takes the place of the word at hand, if *advance*.
        give: A beat goes out, if *advance*.
        finish: The word at hand is the last of its code, and nothing more is to be done about its matrix, if *advance*.
        idle, decode, drain: Between matrices; in a matrix; after its last beat, up to the end of its code.
        final: The beat at hand is the matrix's last, in *decode*.
        empty: The matrix has no elements, in *decode*.
        top: The lane of the matrix's last element.
    """

    def __init__(self, p: PairParameters) -> None:
        self.advance, self.leave = Signal(name="advance"), Signal(name="leave")
        self.give, self.finish = Signal(name="give"), Signal(name="finish")
        self.idle, self.decode, self.drain = Signal(name="idle", init=1), Signal(name="decode"), Signal(name="drain")
        self.final, self.empty = Signal(name="final"), Signal(name="empty")
        self.top = Signal(p.lane_bits, name="top", reset_less=True)


class PairDecoder(wiring.Component):
    """Takes words of *pairs_per_word* pairs and gives *lanes* elements a beat; where the words come from is for its children to say.

    Zeros are never made: of each level only its beat and its lane are known, and the lanes that no level takes are reset.

    Rate: a word that completes k beats takes max(1, k) clock cycles, so in every cycle a word is taken or a beat is given; a long
    run costs one cycle a beat. The last word of a matrix takes as many cycles as it has beats left. No idle cycle between matrices.
    Latency: 5 clock cycles, 6 with more than 4 pairs a word.

    Members:
        shape: One beat starts a matrix: its number of elements.
        weight: *lanes* elements a beat; in the last beat lanes past the last element are 0 and without ``keep``. ``error`` on it.
    """

    bad: int  # the error that a bad word is

    def __init__(self, parameters: PairParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    @abstractmethod
    def _words(self, m: Module, step: Value) -> Word:
        """The words in registers, with their runs added up within each group of pairs; they move on in the cycles in which *step* is 1."""

    def _incomplete(self, word: Word) -> Any:
        """The error where the matrix is not complete after *word*, its last; none where all elements after that word are zeros."""
        return Mux(word.closed[0], Error.NONE, Error.SHORT) if word.closed else Error.SHORT

    def elaborate(self, platform: object) -> Module:
        m = Module()
        c = Control(self.parameters)
        step = Signal()
        m.d.comb += step.eq(c.advance & c.leave)
        words = placed(m, self._words(m, step), step, self.parameters)
        hand = Hand(self.parameters, words)
        word = hand.word
        reach = Signal()  # after the word at hand, the beat at hand has all elements that the matrix has in it, if it is the last
        m.d.comb += reach.eq((hand.fill > c.top if self.parameters.lane_bits else Const(0)) | c.empty)
        m.d.comb += [
            c.give.eq(c.decode & (hand.gives | c.final & hand.closes)),
            c.leave.eq(~word.valid | c.drain | c.decode & (hand.moves | c.final & hand.closes)),
            c.finish.eq(word.last & (c.drain | c.decode & c.final)),
        ]
        with m.If(c.advance & ~(c.idle & word.valid)):
            with m.If(c.leave):
                m.d.sync += hand.take(words, Mux(word.valid, reach & ~word.last, hand.covered))
            with m.Else():
                m.d.sync += hand.next_beat()
        self._count(m, c)
        self._output(m, c, hand, self._error(m, c, hand, reach))
        return m

    def _count(self, m: Module, c: Control) -> None:
        """Take shapes, count the beats of a matrix, and follow its state."""
        p = self.parameters
        known = Signal()  # there is a next matrix
        count = Signal(p.count_bits, name="next_count", reset_less=True)
        start = Signal()  # the next matrix may start
        m.d.comb += [start.eq(c.idle | c.advance & c.finish), self.shape.ready.eq(start | ~known)]
        with m.If(self.shape.ready):
            m.d.sync += [known.eq(self.shape.valid), count.eq(self.shape.payload.data[0])]
        with m.If(start):
            m.d.sync += [c.idle.eq(~known), c.decode.eq(known), c.drain.eq(0)]
        with m.Elif(c.advance & c.decode & c.give & c.final):
            m.d.sync += [c.decode.eq(0), c.drain.eq(1)]

        # Beats after the one at hand, less one: -1 in the last beat, and -2 in the only one of a matrix without elements. A sign is
        # a register's bit, no comparison. What is loaded and what is counted share an adder, of which only one bit differs; it loads
        # whenever the number is of no more use, so that the choice comes from registers alone.
        following = Signal(signed(p.count_bits - p.lane_bits + 1), reset_less=True)
        load = ~c.decode | following[-1]
        less = Mux(load & (count[: p.lane_bits] == 0 if p.lane_bits else Const(1)), -2, -1)
        with m.If(~c.decode | c.advance & c.give):
            m.d.sync += following.eq(Mux(load, count[p.lane_bits :], following) + less)
            with m.If(load):
                m.d.sync += c.top.eq(count[: p.lane_bits] - 1)
        m.d.comb += [c.final.eq(following[-1]), c.empty.eq(following[-1] & ~following[0])]

    def _exact(self, c: Control, hand: Hand) -> Value:
        """Whether the matrix ends with a level in the beat at hand, and what follows that are unused pairs."""
        p = self.parameters
        if p.some_missing:  # the end of the word is that of its last pair
            return (hand.fill == (c.top + 1)[: p.lane_bits]) & Mux(hand.fill == 0, hand.full & hand.done, ~hand.full)
        in_top = [lane == c.top if p.lane_bits else Const(1) for lane in hand.lane]
        return reduce(or_, [h & t & z for h, t, z in zip(hand.here, in_top, [*hand.word.rest_zero, Const(1)], strict=True)])

    def _error(self, m: Module, c: Control, hand: Hand, reach: Value) -> Value:
        """The error of the matrix, if the beat at hand is its last."""
        exact = Signal()
        m.d.comb += exact.eq(self._exact(c, hand))
        complete, incomplete = hand.full | reach, self._incomplete(hand.word)
        error = Signal(2)
        with m.If(hand.covered):
            m.d.comb += error.eq(Error.LONG)
        with m.Elif(hand.word.bad):
            m.d.comb += error.eq(self.bad)
        with m.Elif(hand.past):
            m.d.comb += error.eq(Mux(c.empty, Error.NONE, incomplete))
        with m.Elif(~(exact & hand.word.last & ~c.empty)):
            m.d.comb += error.eq(Mux(complete, Error.LONG, incomplete))
        return Mux(c.final, error, 0)

    def _output(self, m: Module, c: Control, hand: Hand, error: Value) -> None:
        """The two stages of the output: choice of the levels, and the registers of the stream."""
        p, weight = self.parameters, self.weight
        in_last = Cat(~c.empty & (c.top >= lane if lane else Const(1)) for lane in range(p.lanes))
        keep = in_last | (~c.final).replicate(p.lanes)
        m.submodules.lanes = lanes = RlcLanes(p)
        m.d.comb += [lanes.advance.eq(c.advance), lanes.keep.eq(keep)]
        pairs = [(lanes.level, hand.word.levels), (lanes.here, hand.here)]
        if p.lanes > 1:
            m.d.comb += [lanes.give.eq(c.give), lanes.clear.eq(c.idle | c.finish)]
            pairs += [(lanes.lane, hand.lane), (lanes.next, hand.next)]
        m.d.comb += [port.eq(value) for ports, values in pairs for port, value in zip(ports, values, strict=True)]

        beat = Cat(c.give, c.final, keep, error)
        chosen = Signal(len(beat), name="chosen_beat")
        given = Signal(len(beat), name="given_beat")
        with m.If(c.advance):
            m.d.sync += [chosen.eq(beat), given.eq(chosen)]
        m.d.comb += [
            c.advance.eq(~weight.valid | weight.ready),
            Cat(weight.valid, weight.payload.last, weight.payload.keep, weight.payload.error).eq(given),
            *(mine.eq(lane) for mine, lane in zip(weight.payload.data, lanes.data, strict=True)),
        ]
