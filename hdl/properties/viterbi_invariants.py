"""How the Viterbi decompressor's registers stand to its model: what makes the proof inductive.

Registers read: of ``decoder`` state, following, empty, history, beats, staged and staged_xors (with ``pipeline``), mask; of
``decoder.shapes`` and ``skid`` valid, payload, spare_valid and spare.
"""

from typing import Any

from amaranth.hdl import Assert, Const, Module, Mux, Value
from amaranth.lib import data

from golden.params.viterbi import ViterbiParameters
from hdl.properties.model import Phase
from hdl.properties.spec import Internals
from hdl.properties.viterbi_model import Expected, Model
from hdl.stream import payload
from hdl.viterbi import State

IDLE, DECODE, PAD, DRAIN = (Const.cast(state) for state in (State.IDLE, State.DECODE, State.PAD, State.DRAIN))


def invariants(m: Module, model: Model, internals: Internals, parameters: ViterbiParameters) -> None:
    """Assert them all in *m*."""
    _control(m, model, internals, parameters)
    _window(m, model, internals, parameters)
    _shapes(m, model, internals)
    _beats(m, model, internals, parameters)


def _control(m: Module, model: Model, internals: Internals, p: ViterbiParameters) -> None:
    """State and count."""
    state, following = internals["decoder.state"], internals["decoder.following"]
    for at, expected in ((IDLE, Phase.READ), (DECODE, Phase.READ), (PAD, Phase.PAD), (DRAIN, Phase.DROP)):
        with m.If(state == at):
            m.d.comb += Assert(model.phase == expected, f"invariant: the phase in state {at.value}")
    m.d.comb += Assert((state != IDLE) | ~model.begun, "invariant: an idle decoder has begun no matrix")
    m.d.comb += Assert((model.phase == Phase.READ) | model.begun, "invariant: what is completed has begun")
    m.d.comb += Assert(~model.begun | (model.phase == Phase.DROP) | (model.left != 0), "invariant: a matrix at work has weights left")
    with m.If((state == DECODE) | (state == PAD)):
        m.d.comb += [
            Assert(following == model.left - (p.mask_bits + 1), "invariant: the count"),
            Assert(internals["decoder.empty"] == (model.left == 0), "invariant: the matrix without weights"),
        ]


def _window(m: Module, model: Model, internals: Internals, p: ViterbiParameters) -> None:
    """Compressed bits and position in the block."""
    with m.If(internals["decoder.state"] == DECODE):
        m.d.comb += [
            Assert(internals["decoder.history"] == Mux(model.position == 0, 0, model.window[: p.k]), "invariant: the last compressed bits"),
            Assert(internals["decoder.beats"] * p.steps == model.position, "invariant: the position in the block"),
        ]
    m.d.comb += [
        Assert(model.position < p.block_steps, "invariant: the position is in the block"),
        Assert(model.begun | (model.position == 0), "invariant: a matrix begins with a block"),
    ]


def _shapes(m: Module, model: Model, internals: Internals) -> None:
    """The matrix at work, and those that wait in the skid buffer."""
    at_work = internals["decoder.state"] != IDLE
    valid, spare_valid = internals["decoder.shapes.o__valid"], internals["decoder.shapes.spare_valid"]
    counts = model.shapes.entries
    m.d.comb += Assert(model.shapes.level == at_work + valid + spare_valid, "invariant: as many shapes wait")
    m.d.comb += Assert(valid | ~spare_valid, "invariant: shapes wait in order")
    _follows(m, valid, internals["decoder.shapes.o__payload"], at_work, counts, "shape")
    _follows(m, spare_valid, internals["decoder.shapes.spare"], at_work + Const(1), counts, "second shape")


def _follows(m: Module, valid: Value, register: Value, ahead: Value, entries: list[Any], what: str) -> None:
    for i, entry in enumerate(entries):
        with m.If(valid & (ahead == i)):
            m.d.comb += Assert(register == entry, f"invariant: {what}, {i} before it")


def _beats(m: Module, model: Model, internals: Internals, p: ViterbiParameters) -> None:
    """Output beats on their way, from the port backward."""
    layout = payload(p.output)
    slots: list[tuple[str, Value, Any]] = [
        ("output register", internals["decoder.mask__valid"], data.View(layout, internals["decoder.mask__payload"]))
    ]
    if p.skid:
        valid, spare_valid = internals["skid.o__valid"], internals["skid.spare_valid"]
        m.d.comb += Assert(valid | ~spare_valid, "invariant: beats wait in order")
        slots = [
            ("skid register", valid, data.View(layout, internals["skid.o__payload"])),
            ("skid's spare register", spare_valid, data.View(layout, internals["skid.spare"])), *slots,
        ]
    ahead: Value = Const(0)
    for name, valid, beat in slots:
        for i, owed in enumerate(model.beats.entries):
            expected = Expected(owed, p)
            with m.If(valid & (ahead == i)):
                m.d.comb += [
                    Assert(beat.data[0] == expected.mask, f"invariant: mask in the {name}, {i} before it"),
                    Assert(beat.keep == expected.keep, f"invariant: keep in the {name}, {i} before it"),
                    Assert(beat.last == expected.last, f"invariant: last in the {name}, {i} before it"),
                    Assert(beat.error == expected.error, f"invariant: error in the {name}, {i} before it"),
                ]
        ahead = ahead + valid
    if p.pipeline:
        ahead = ahead + _staged(m, model, internals, p, ahead)
    m.d.comb += Assert(model.beats.level == ahead, "invariant: as many beats are owed as are on their way")


def _staged(m: Module, model: Model, internals: Internals, p: ViterbiParameters, ahead: Value) -> Value:
    """The beat between XOR trees and comparators; gives whether there is one."""
    register = internals["decoder.staged"]
    top_bits = len(register) - 6
    layout = data.StructLayout({"valid": 1, "zero": 1, "keep": 1, "last": 1, "error": 2, "top": top_bits})
    beat = data.View(layout, register)
    m.d.comb += Assert(~beat.valid | beat.keep | beat.zero, "invariant: the stage holds no mask bits of a matrix without weights")
    for i, owed in enumerate(model.beats.entries):
        expected = Expected(owed, p)
        with m.If(beat.valid & (ahead == i)):
            m.d.comb += [
                Assert(beat.zero == owed.zero, f"invariant: zero in the stage, {i} before it"),
                Assert(beat.keep == expected.keep, f"invariant: keep in the stage, {i} before it"),
                Assert(beat.last == expected.last, f"invariant: last in the stage, {i} before it"),
                Assert(beat.error == expected.error, f"invariant: error in the stage, {i} before it"),
                Assert(beat.zero | (internals["decoder.staged_xors"] == owed.xors), f"invariant: XOR outputs in the stage, {i} before it"),
                Assert(~beat.last | (beat.top == (owed.left - 1)[:top_bits]), f"invariant: last lane in the stage, {i} before it"),
            ]
    valid: Value = beat.valid
    return valid
