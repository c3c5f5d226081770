"""How the bit-plane decoder's registers stand to its model: what makes the proof inductive.

Those of the schedule are in :mod:`hdl.properties.viterbi_schedule`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from amaranth.hdl import Cat, Const, Mux, Value
from amaranth.lib import data

from golden.params.base import Error
from golden.params.planes import PlanesParameters
from hdl.planes import beat_layout, beat_widths
from hdl.properties.invariants import Invariants, each, skid_slots
from hdl.properties.model import Phase
from hdl.properties.planes_model import PlanesModel, Shares
from hdl.properties.viterbi_schedule import Walk, schedule
from hdl.viterbi import xor_outputs


class PlanesInvariants(Invariants):
    """The invariants of one decoder."""

    p: PlanesParameters
    model: PlanesModel

    def hold(self) -> None:
        self._owed([("output register", self._get("weight__valid"), self._get("given"))])
        for name, one in zip(("mask", "word"), self.model.join.joined, strict=True):
            self._intake(name, one)
        self._due()
        self._history()
        self._joined()
        self._patches()
        self._at_hand()

    def _intake(self, name: str, one: Shares) -> None:
        """The register that a share's beats come in through; of a share that is over it holds the mark of that."""
        join, entry, there = self.model.join, one.queue.entry0, one.queue.level != 0
        names = ("valid", "held_kept", "held_last", "held_number", "drain")
        valid, kept, last, number, drain = (self._get(f"{name}_intake.{what}") for what in names)
        self._must(valid == (there | one.over), f"the intake of {name} holds a beat or a mark")
        self._must(drain == one.dropping, f"{name} is dropped")
        self._must(~drain | ~valid, f"nothing of {name} is held while it is dropped")
        self._must(~one.over | (~there & join.begun), f"the share of {name} is over in a matrix that has begun")
        with self.m.If(valid):
            self._must(kept == (there & entry.keep), f"the beat of {name} has a number")
            self._must(last == (one.over | entry.last), f"the last beat of {name}")
        with self.m.If(there):
            self._must(entry.keep | entry.last, f"a beat of {name} that is held says something")
            self._must(number == entry.data[0], f"the number of {name}")

    def _due(self) -> None:
        """The beat that is due next, and the schedule behind it."""
        p, join, m = self.p, self.model.join, self.m
        self._must(join.phase == Phase.READ, "beats are joined in one phase")
        self._must(~join.begun | (join.left != 0), "a matrix that has begun has weights left")
        self._must(join.begun | (join.position == 0), "a matrix begins with a block")
        self._must((join.position < p.block_steps) & (join.position % p.steps == 0), "the position is that of a beat of the block")
        valid, last, empty, fresh, kept = (self._get(name) for name in ("valid", "due_last", "due_empty", "due_fresh", "due_kept"))
        walk = Walk(Const(0), join.left, join.position, Const(1))
        with m.If(valid):
            self._must(join.shapes.level != 0, "the beat that is due is of a matrix")
            self._must(last == (join.left <= p.lanes), "last in the beat that is due")
            self._must(empty == (join.left == 0), "empty in the beat that is due")
            self._must(fresh == (join.position == 0), "fresh in the beat that is due")
            self._must(kept == Cat(join.left > lane for lane in range(p.lanes)), "the lanes of the beat that is due")
        walk.step(m, valid, join.shapes, p.plane)
        schedule(m, join.shapes, walk, Mux(valid, ~last, join.begun), self._internals, p.plane)

    def _history(self) -> None:
        """The last input bits, as long as a matrix has its words."""
        p, join = self.p, self.model.join
        history, known = self._get("history"), join.begun & (join.position != 0) & ~Cat(one.over for one in join.joined).any()
        with self.m.If(known):
            for plane, window in enumerate(join.windows):
                self._must(history.word_select(plane, p.plane.k)[: p.k] == window[: p.k], f"the last input bits of plane {plane}")

    def _joined(self) -> None:
        """Beats that wait to be mended."""
        held = {name: self._get(f"held_{name}") for name in beat_widths(self.p)}
        must: Callable[[int, str], None] = partial(self._waits, held, self._get("values"))
        slots = [("beat that is mended", self._get("held_valid"), must)]
        for name, full, register in skid_slots(self.m, self._internals, "decoder.beats"):
            beat = data.View(beat_layout(self.p), register)
            slots.append((name, full, partial(self._waits, {one: beat[one] for one in beat_widths(self.p)}, self._expanded(beat))))
        each(self.m, self.model.joined, slots)
        self._must(self._get("held_valid") | (self.model.flips == 0), "only a beat that is held is mended")

    def _waits(self, beat: dict[str, Any], values: Value, i: int, what: str) -> None:
        """A beat is the one that was joined, with what patches have flipped so far."""
        owed, error = self.model.joined.entries[i].beat, Mux(beat["short"], Error.SHORT, Mux(beat["long"], Error.LONG, Error.NONE))
        self._must(beat["mask"] == self.model.joined.entries[i].survive, f"survivors of the {what}")
        self._must(beat["kept"] == owed.keep, f"lanes of the {what}")
        self._must(beat["last"] == owed.last, f"last in the {what}")
        self._must(Mux(owed.last, error, Error.NONE) == owed.error, f"error of the {what}")
        self._must(values == Value.cast(owed.data) ^ (self.model.flips if i == 0 else 0), f"values of the {what}")

    def _expanded(self, beat: Any) -> Value:
        """The weights that a beat's input bits give."""
        p = self.p
        words = [Cat(beat.word.word_select(step * p.value_bits + plane, p.p) for step in range(p.steps)) for plane in range(p.value_bits)]
        planes = [xor_outputs(beat.history.word_select(plane, p.plane.k), word, p.plane) for plane, word in enumerate(words)]
        return Cat(plane[lane] & beat.mask[lane] for lane in range(p.lanes) for plane in planes)

    def _patches(self) -> None:
        """The beat of patches that is held, and what is told of it on its way in."""
        p, model, reader = self.p, self.model, self._reader
        entry, there, one = model.patches.queue.entry0, model.patches.queue.level != 0, model.patches
        plane_end = p.lane_bits + p.plane_bits
        lanes, planes = ([patch[start:end] for patch in entry.data] for start, end in ((0, p.lane_bits), (p.lane_bits, plane_end)))
        gaps = [patch[plane_end:] for patch in entry.data]
        told = {
            "final": entry.last, "near": Cat(gap == 0 for gap in gaps), "following": Cat(gap == 1 for gap in gaps), "gaps": Cat(gaps),
            "lanes": Cat(mine == lane for mine in lanes for lane in range(p.lanes)),
            "planes": Cat(mine == plane for mine in planes for plane in range(p.value_bits)),
            "pending": entry.keep & ~model.used,
        }
        self._must(reader("valid") == there, "a beat of patches is held")
        self._must(reader("draining") == one.dropping, "patches are dropped")
        self._must(~one.dropping | ~there, "no patches are held while they are dropped")
        self._must(there | (model.used == 0), "patches of a beat that is held are done with")
        with self.m.If(there):
            self._must(entry.keep.any() | entry.last, "a beat of patches that is held says something")
            rest = told["pending"].any() & ~one.over
            self._must((model.used == 0) | rest, "a beat of patches that is used in part is of this share and has more")
            for name, true in told.items():
                self._must(reader(f"held_{name}") == true, f"{name} of the patches")
            settles = entry.last | (told["pending"] & ~told["near"]).any()
            self._must(reader("held_settling") == settles, "whether the patches settle a beat")

    def _reader(self, name: str) -> Any:
        return self._get(f"patches.{name}")

    def _at_hand(self) -> None:
        """What is known a cycle before."""
        p, model = self.p, self.model
        asked, valid, pending, near = (self._reader(name) for name in ("asked", "valid", "held_pending", "held_near"))
        reached = Cat(pending[i] & (~pending[:i] | near[:i]).all() for i in range(p.patches))
        self._must(self._reader("ended") == model.patches.over, "the patches of a matrix are over")
        self._must(asked == (~model.patches.over & (model.gap == 0)), "the next patch is of this beat")
        self._must((model.gap == 0) | ~model.patches.over, "there is no gap after the last patch")
        self._must((model.gap == 0) | (self._reader("left") == model.gap), "the gap")
        self._must(self._reader("live") == reached & (asked & valid).replicate(p.patches), "the patches of this beat")
        self._must(self._reader("done") == (~asked | (valid & self._reader("held_settling"))), "a beat needs no more patches")
