"""Proofs pass where the design is sound, fail where it is broken, and never pass for want of something to prove."""

import gc
import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amaranth.asserts import AnyConst
from amaranth.hdl import Assert, Cover, Module, ResetSignal, Signal, unsigned
from amaranth.sim import Simulator

from golden import viterbi
from golden.bits import Element
from golden.catalog import CATALOG
from golden.params.viterbi import ViterbiParameters
from hdl.properties import __main__ as room
from hdl.properties import bounded
from hdl.properties.claims import Claim
from hdl.properties.model import Phase
from hdl.properties.prove import prove
from hdl.properties.spec import Internals, Spec
from hdl.properties.stream import StreamRules
from hdl.properties.viterbi import designs
from hdl.properties.viterbi_model import Expected, Model
from hdl.stream import SkidBuffer
from hdl.yowasp import ToolError

CLAIMS = room.all_claims()
UNUSED = pytest.mark.filterwarnings("ignore:.*created but never used")  # specifications that are only asked for their class
# A minute together; all others are in `unprune verify --full`.
FAST = ("skid", "viterbi_broken", "viterbi_plain", "nm_2_4_tiny", "rlc_tiny", "csr_survivors_tiny", "sparse_view", "coo_survivors_tiny")


def parameters(rejects: bool) -> list[Any]:
    """The fast claims that hold, or of designs that have to be rejected, as a test's parameters."""
    chosen = [claim for claim in CLAIMS if claim.design in FAST and bool(claim.rejects) == rejects]
    return [pytest.param(claim, id=re.sub(r"\W+", "_", claim.name)) for claim in chosen]


@pytest.mark.parametrize("claim", parameters(rejects=False))
def test_sound_design_is_proven_or_its_cases_are_reached(claim: Claim, tmp_path: Path) -> None:
    met, proof = claim.check(tmp_path)
    assert met, proof.message
    assert proof.properties > 0
    assert proof.trace is None


@pytest.mark.parametrize("claim", parameters(rejects=True))
def test_broken_design_is_rejected_by_a_property_of_its_ports(claim: Claim, tmp_path: Path) -> None:
    met, proof = claim.check(tmp_path)
    assert met, proof.message
    assert proof.trace is not None
    assert proof.trace.read_text().startswith("$")


def specified(claims: list[Claim]) -> list[tuple[Claim, type]]:
    """Each claim, and the class of its specification."""
    made = [(claim, type(claim.spec())) for claim in claims]
    gc.collect()  # so that it is this test that is told of what is not used
    return made


@UNUSED
def test_every_proof_has_a_cover_and_every_specification_broken_designs() -> None:
    proven = {(claim.design, claim.what) for claim in CLAIMS if claim.mode != "cover" and not claim.rejects}
    assert proven == {(claim.design, claim.what) for claim in CLAIMS if claim.mode == "cover"}
    kinds = specified([claim for claim in CLAIMS if claim.mode != "cover"])
    rejecting = {kind for claim, kind in kinds if claim.rejects} - {StreamRules}  # which all others assert too
    assert {kind for claim, kind in kinds if not claim.rejects} == rejecting
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)


@UNUSED
def test_what_is_broken_shows_within_the_bound_of_a_sound_design() -> None:
    made = specified([claim for claim in bounded.claims() if claim.mode == "sat"])
    bounds = {(claim.design, kind): claim.depth for claim, kind in made if not claim.rejects}
    for claim, kind in made:
        assert claim.depth <= bounds[claim.design.removesuffix("_ports"), kind], claim.name


@pytest.mark.parametrize("name", bounded.SPECS)
def test_progress_is_looked_at_for_longer_than_it_takes_to_be_violated(name: str) -> None:
    assert bounded.SPECS[name][2] >= CATALOG[name].latency + 13


class Counting(Spec):
    """Counts transfers into a skid buffer, up to 7, and says of the count what a test asks."""

    def __init__(self, *, never: int | None = None, below: int | None = None, reached: int | None = None) -> None:
        self.never, self.below, self.reached = never, below, reached
        super().__init__(SkidBuffer(unsigned(1)))

    def specify(self, m: Module, internals: Internals) -> None:
        count = Signal(3)
        with m.If((count != 5) & self.design.i.valid & self.design.i.ready):
            m.d.sync += count.eq(count + 1)
        if self.never is not None:
            m.d.comb += Assert(count != self.never, f"the count is never {self.never}")
        if self.below is not None:
            m.d.comb += Assert(count < self.below, f"the count is below {self.below}")
        if self.reached is not None:
            m.d.comb += Cover((count == self.reached) & ~ResetSignal(), f"the count is {self.reached}")


class Offering(Spec):
    """A buffer that never had anything to offer; from the first cycle on, or from that after the reset which is assumed of the first."""

    def __init__(self, *, after_reset: bool) -> None:
        self.after_reset = after_reset
        super().__init__(SkidBuffer(unsigned(1)))

    def specify(self, m: Module, internals: Internals) -> None:
        had = Signal()
        with m.If(self.design.i.valid):
            m.d.sync += had.eq(1)
        m.d.comb += Assert(~self.design.o.valid | had | (ResetSignal() & self.after_reset), "nothing comes out that did not go in")


class Picking(Spec):
    """The solver picks a number, which is said never to be 5."""

    def __init__(self) -> None:
        super().__init__(SkidBuffer(unsigned(1)))

    def specify(self, m: Module, internals: Internals) -> None:
        m.d.comb += Assert(ResetSignal() | (AnyConst(4) != 5), "what is picked is not 5")


@pytest.mark.parametrize("mode", ["bmc", "sat", "pdr"])
def test_whatever_can_be_picked_is_looked_at(mode: Any, tmp_path: Path) -> None:
    assert "what is picked is not 5" in prove(Picking(), mode=mode, depth=3, folder=tmp_path).message


@pytest.mark.parametrize(
    ("mode", "spec"),
    [("bmc", Counting(reached=1)), ("sat", Counting(reached=1)), ("prove", Counting()), ("pdr", Counting()), ("cover", Counting(below=6))],
)
def test_nothing_to_prove_is_a_failure(mode: Any, spec: Spec, tmp_path: Path) -> None:
    proof = prove(spec, mode=mode, depth=4, folder=tmp_path)
    assert not proof.passed
    assert proof.properties == 0
    assert re.match(rf"^there is nothing to {mode}: the specification has no (assert|cover)$", proof.message)


def test_cover_that_is_not_reached_is_a_failure(tmp_path: Path) -> None:
    proof = prove(Counting(reached=6), mode="cover", depth=10, folder=tmp_path)
    assert (proof.passed, proof.message) == (False, "never reached: the count is 6")


def test_violation_names_the_property_and_the_cycle_and_keeps_the_trace(tmp_path: Path) -> None:
    proof = prove(Counting(never=2, below=6), mode="bmc", depth=8, folder=tmp_path / "traces")
    assert not proof.passed
    assert proof.message == "violated in cycle 3: the count is never 2"
    assert proof.trace == tmp_path / "traces" / "trace.vcd"
    assert "$enddefinitions" in proof.trace.read_text()


def test_what_is_true_but_not_inductive_is_not_proven(tmp_path: Path) -> None:
    assert prove(Counting(never=6), mode="bmc", depth=10, folder=tmp_path).passed
    proof = prove(Counting(never=7), mode="prove", depth=2, folder=tmp_path)
    assert (proof.passed, proof.message) == (False, "not inductive: the count is never 7")
    assert proof.trace == tmp_path / "trace_induct.vcd"
    assert prove(Counting(never=7, below=6), mode="prove", depth=2, folder=tmp_path).passed


def test_reachability_proves_what_is_true_without_invariants_and_tells_what_is_not(tmp_path: Path) -> None:
    assert prove(Counting(never=7), mode="pdr", depth=0, folder=tmp_path).passed
    proof = prove(Counting(never=2, below=7), mode="pdr", depth=0, folder=tmp_path)
    assert (proof.passed, proof.message, proof.trace) == (False, "violated in cycle 3: the count is never 2", tmp_path / "trace.vcd")


def test_bounded_search_looks_at_as_many_cycles_as_it_is_told(tmp_path: Path) -> None:
    assert prove(Counting(never=2), mode="sat", depth=3, folder=tmp_path).passed
    proof = prove(Counting(never=2), mode="sat", depth=4, folder=tmp_path)
    assert (proof.passed, proof.message, proof.trace) == (False, "violated in cycle 3: the count is never 2", tmp_path / "trace.vcd")


def test_reachability_starts_from_every_state_and_keeps_to_the_assumptions(tmp_path: Path) -> None:
    """Without reset the buffer could hold anything: what comes out before the first reset is for the specification to leave out."""
    assert not prove(Offering(after_reset=False), mode="pdr", depth=0, folder=tmp_path).passed
    assert prove(Offering(after_reset=True), mode="pdr", depth=0, folder=tmp_path).passed


def test_second_solver_agrees(tmp_path: Path) -> None:
    pytest.importorskip("z3")
    claim = next(claim for claim in CLAIMS if claim.name == "skid prove: contract")
    assert claim.check(tmp_path, "z3")[0]


def test_missing_solver_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"^nosolver is not installed: pip install 'unprune\[proofs\]'$"):
        prove(Counting(below=6), mode="bmc", depth=2, folder=tmp_path, solver="nosolver")


def test_unknown_register_is_named() -> None:
    with pytest.raises(KeyError, match=r"the name of a signal must be one of .*spare_valid, was nothing"):
        Internals(SkidBuffer(unsigned(1)))["nothing"]


def test_command_exits_1_on_a_failure_and_writes_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = [
        Claim("true", "counting", lambda: Counting(below=6), "prove", 2),
        Claim("too low", "counting", lambda: Counting(below=5), "bmc", 8, rejects="below 5"),
        Claim("harmless", "counting", lambda: Counting(below=7), "bmc", 8, rejects="below 7"),
    ]
    monkeypatch.setattr(room, "all_claims", lambda: claims)
    output = tmp_path / "out" / "prove.json"
    assert room.main(["-o", str(output), "--only", "counting"]) == 1
    rows = {row["what"]: row for row in json.loads(output.read_text())["rows"]}
    assert {what: (row["value"], row["bar"], row["met"]) for what, row in rows.items()} == {
        "true": ("proven", "proven", True), "too low": ("fails", "fails", True), "harmless": ("holds", "fails", False),
    }
    assert room.main(["-o", str(output), "--only", "true"]) == 0
    with pytest.raises(SystemExit, match="2"):
        room.main(["--only", "no such claim"])


def random_shares(generator: random.Random, p: ViterbiParameters) -> dict[str, list[Element | None]]:
    """A matrix that is well formed half the time; else its index is short, long, or has beats without data anywhere."""
    count = generator.randrange(1 << p.count_bits)
    beats = -(-count // p.mask_bits)
    if generator.random() < 0.5:
        beats = generator.randrange(2 * beats + 2)
    index: list[Element | None] = [generator.getrandbits(p.index_bits) for _ in range(beats)]
    if generator.random() < 0.3:
        index.insert(generator.randrange(len(index) + 1), None)
    return {"shape": [count], "index": index}


def modelled(shares: list[dict[str, list[Element | None]]], p: ViterbiParameters) -> list[tuple[list[int], int]]:
    """Words and error code of every matrix as the proofs' model gives them."""
    model = Model(p, room=2)
    oldest = Expected(model.beats.entry0, p)
    matrices: list[tuple[list[int], int]] = []
    words: list[int] = []

    async def collect(ctx: Any) -> None:
        ctx.set(model.taken, owed := ctx.get(model.beats.level) > 0)
        if owed:
            if ctx.get(oldest.keep):
                words.append(ctx.get(oldest.mask))
            if ctx.get(oldest.last):
                matrices.append((words.copy(), ctx.get(oldest.error)))
                words.clear()
        assert not ctx.get(model.unasked)
        await ctx.tick()

    async def run(ctx: Any) -> None:
        for matrix in shares:
            ctx.set(model.shape, 1)
            ctx.set(model.count, matrix["shape"][0])
            await collect(ctx)
            ctx.set(model.shape, 0)
            index = matrix["index"] or [None]
            for number, beat in enumerate(index, start=1):
                ctx.set(model.index, 1)
                ctx.set(model.index_beat, {"data": [beat or 0], "keep": int(beat is not None), "last": int(number == len(index))})
                await collect(ctx)
                ctx.set(model.index, 0)
                ctx.set(model.use, ctx.get(model.streams["index"].level) > 0)
                await collect(ctx)
                ctx.set(model.use, 0)
            while ctx.get(model.phase) == Phase.PAD:
                ctx.set(model.pad, 1)
                await collect(ctx)
                ctx.set(model.pad, 0)
        for _ in range(3):
            await collect(ctx)

    simulator = Simulator(model)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return matrices


@pytest.mark.parametrize("p", [replace(p, name="") for p in designs()[:8]], ids=[p.name for p in designs()[:8]])
def test_model_of_the_proofs_agrees_with_golden(p: ViterbiParameters) -> None:
    generator = random.Random(p.digest)
    shares = [random_shares(generator, p) for _ in range(60)]
    decoded = [viterbi.decode(matrix, p) for matrix in shares]
    assert {one.error for one in decoded} == {0, 1, 2}
    assert modelled(shares, p) == [(one.elements, one.error) for one in decoded]
