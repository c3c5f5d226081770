"""How the Viterbi decompressor's registers stand to its model: what makes the proof inductive. The schedule's are in a file of their own.

Registers read: of ``decoder`` there, held (where a word lasts several cycles held_bits, held_flags, place and spent), padding, dropping,
stalled, joined, spare, valid, beat, history, bits, sums, idle, given_valid, given and, with ``pipeline``, staged_valid, staged and
staged_xors; of ``skid`` valid, front, spare_valid and spare.
"""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Assert, Cat, Const, Module, Mux, Value
from amaranth.lib import data

from golden.params.viterbi import ViterbiParameters
from hdl.properties.model import Phase
from hdl.properties.spec import Internals
from hdl.properties.viterbi_model import Expected, Model
from hdl.properties.viterbi_schedule import Walk, schedule
from hdl.stream import payload
from hdl.viterbi import beat_layout, held_layout, joined_layout, kept_lanes, neighbours, xor_outputs


def invariants(m: Module, model: Model, internals: Internals, parameters: ViterbiParameters) -> None:
    """Assert them all in *m*."""
    m.d.comb += [
        Assert((model.phase == Phase.PAD) == internals["decoder.padding"], "invariant: the phase while zeros complete a matrix"),
        Assert((model.phase == Phase.DROP) == internals["decoder.dropping"], "invariant: the phase while an index is dropped"),
        Assert(Value.cast(model.phase) <= Value.cast(Phase.DROP), "invariant: the phase is one of three"),
        Assert((model.phase == Phase.READ) | model.begun, "invariant: what is completed has begun"),
        Assert(~model.begun | (model.phase == Phase.DROP) | (model.left != 0), "invariant: a matrix at work has weights left"),
        Assert(model.position < parameters.block_steps, "invariant: the position is in the block"),
        Assert(model.position % parameters.steps == 0, "invariant: the position is that of a beat"),
        Assert(model.begun | (model.position == 0), "invariant: a matrix begins with a block"),
        Assert(model.place < parameters.word_cycles, "invariant: the place is in the index beat"),
        Assert((model.place == 0) | model.begun & (model.phase == Phase.READ) & (model.streams["index"].level == 1),
               "invariant: bits of an index beat were used for a matrix that wants the others"),
        Assert(~internals["decoder.stalled"] | internals["decoder.given_valid"], "invariant: only a beat that was not taken stalls"),
        Assert(internals["decoder.idle"] == ~internals["decoder.given_valid"], "invariant: the output register is idle without a beat"),
    ]
    there, index = internals["decoder.there"], model.streams["index"]
    m.d.comb += Assert(there == index.level, "invariant: an index beat is held")
    with m.If(there):
        words = parameters.word_cycles > 1
        parts = [internals[f"decoder.{name}"] for name in (("held_bits", "held_flags") if words else ("held",))]
        held, entry = data.View(held_layout(parameters), Cat(*parts)), index.entry0
        left = entry.data[0] >> model.place * (parameters.steps * parameters.p)
        same = (held.bits == left) & (held.keep == entry.keep) & (held.ends == entry.last)
        m.d.comb += Assert(same, "invariant: the index beat that is held")
        if words:
            final = (model.place == parameters.word_cycles - 1) | ~entry.keep
            m.d.comb += Assert(internals["decoder.place"] == model.place, "invariant: how much of it was used")
            m.d.comb += Assert(internals["decoder.spent"] == final, "invariant: whether its last bits are next")
        m.d.comb += Assert(index.entry0.keep | index.entry0.last, "invariant: an index beat that is held says something")
    drops, shapes = model.phase == Phase.DROP, model.shapes
    walk = Walk(drops, Mux(drops, shapes.entry1, model.left), Mux(drops, 0, model.position), model.phase != Phase.PAD)
    head = schedule(m, shapes, walk, model.begun & ~drops, internals, parameters)
    _beats(m, model, internals, parameters, head)


def _beats(m: Module, model: Model, internals: Internals, p: ViterbiParameters, head: Any) -> None:
    """Beats on their way, from the output port backward; and the window that the next one meets."""
    ahead: Value = Const(0)
    for name, valid, register in _registers(internals, p):
        beat = data.View(payload(p.output), register)

        def whole(owed: Any, beat: Any = beat) -> list[tuple[str, Value]]:
            return [("mask", beat.data[0] == Expected(owed, p).mask), *_ends(beat, owed, p)]

        ahead = _slot(m, model, name, valid, ahead, whole)
    beat = data.View(beat_layout(p), internals["decoder.beat"])
    history, bits = internals["decoder.history"], internals["decoder.bits"]
    sums, line = internals["decoder.sums"], Cat(history[::-1], bits)
    same = sums == neighbours(line)
    if p.pipeline:
        staged, xors = data.View(beat_layout(p), internals["decoder.staged"]), internals["decoder.staged_xors"]
        ahead = _slot(m, model, "stage", internals["decoder.staged_valid"], ahead, lambda owed: _cut(staged, xors, owed, p))
    valid = internals["decoder.valid"]
    xors = xor_outputs(history, bits, p)
    ahead = _slot(m, model, "cut beat", valid, ahead, lambda owed: [*_cut(beat, xors, owed, p), ("sums", owed.zero | same)])
    # Registers begin with anything in them: the sums of the bits that were seen are known from the first beat of a block on.
    known = Mux(valid, same, sums[: p.k - 1] == neighbours(line[: p.k]))
    seen = Mux(valid, Cat(bits[::-1], history)[: p.k], history)
    for name, there in (("joined", Const(1)), ("spare", internals["decoder.stalled"])):
        joined = data.View(joined_layout(p), internals[f"decoder.{name}"])
        window, known = Mux(joined.due.fresh, 0, seen), known | (joined.due.fresh & there)
        valid = joined.valid & there

        def alone(owed: Any, joined: Any = joined, window: Value = window, known: Value = known) -> list[tuple[str, Value]]:
            return [*_joined(joined, window, owed, p), ("sums", owed.zero | known)]

        ahead = _slot(m, model, name, valid, ahead, alone)
        seen = Mux(there, Mux(valid, Cat(joined.bits[::-1], window)[: p.k], window), seen)
    m.d.comb += Assert(model.beats.level == ahead, "invariant: as many beats are owed as are on their way")
    with m.If((model.phase == Phase.READ) & internals["decoder.schedule.queue.o__valid"]):
        expected = Mux(model.position == 0, 0, model.window[: p.k])
        m.d.comb += Assert(Mux(head.fresh, 0, seen) == expected, "invariant: the last compressed bits")
        m.d.comb += Assert(head.fresh | known, "invariant: the sums of the last compressed bits")


def _registers(internals: Internals, p: ViterbiParameters) -> list[tuple[str, Value, Value]]:
    """Registers that hold whole output beats: name, whether one is there, and the beat."""
    found = [("output register", internals["decoder.given_valid"], internals["decoder.given"])]
    if p.skid:
        skid = [("skid register", internals["skid.o__valid"], internals["skid.front"])]
        found = [*skid, ("skid's spare register", internals["skid.spare_valid"], internals["skid.spare"]), *found]
    return found


def _slot(m: Module, model: Model, name: str, valid: Value, ahead: Value, facts: Callable[[Any], list[tuple[str, Value]]]) -> Value:
    """Assert the *facts* about the beat in a register, if it is *valid*; gives how many beats are ahead of the next register."""
    for i, owed in enumerate(model.beats.entries):
        with m.If(valid & (ahead == i)):
            m.d.comb += [Assert(fact, f"invariant: {what} in the {name}, {i} before it") for what, fact in facts(owed)]
    return ahead + valid


def _ends(beat: Any, owed: Any, p: ViterbiParameters) -> list[tuple[str, Value]]:
    expected = Expected(owed, p)
    return [("keep", beat.keep == expected.keep), ("last", beat.last == expected.last), ("error", beat.error == expected.error)]


def _cut(beat: Any, xors: Value, owed: Any, p: ViterbiParameters) -> list[tuple[str, Value]]:
    """Of a beat with the lanes that hold weights, and its XOR outputs."""
    lanes = Cat((owed.left > i) & ~owed.zero for i in range(p.mask_bits))
    return [*_ends(beat, owed, p), ("lanes", kept_lanes(beat, p) == lanes), ("XOR outputs", owed.zero | (xors == owed.xors))]


def _joined(joined: Any, window: Value, owed: Any, p: ViterbiParameters) -> list[tuple[str, Value]]:
    """Of a beat that is due and its index beat."""
    expected, due = Expected(owed, p), joined.due
    error = Mux(due.last, Cat(joined.short, joined.long), 0)
    return [
        ("empty", due.empty == ~expected.keep),
        ("last", due.last == expected.last),
        ("top", due.empty | (due.top == Mux(due.last, (owed.left - 1)[: len(due.top)], ~Const(0, len(due.top))))),
        ("error", error == expected.error),
        ("zero", (joined.zero == owed.zero) & (joined.zero | ~due.empty)),
        ("XOR outputs", owed.zero | (xor_outputs(window, joined.bits, p) == owed.xors)),
    ]
