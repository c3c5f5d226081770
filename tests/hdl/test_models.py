"""The models that the proofs hold the decoders to give what golden gives, for matrices well formed and not."""

import importlib
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Const, Value
from amaranth.sim import Simulator

from golden import sparse
from golden.bits import Element, beats_of
from golden.catalog import CATALOG
from golden.decoded import Decoded
from golden.params.base import Port
from golden.params.csr import CsrParameters
from golden.params.lookup import LookUpParameters
from golden.params.sparse import SparseParameters
from hdl.properties import bitmap_model, codebook, coo_model, csr_dense_model, csr_model, lookup_model, nm, planes_model, relative, rlc
from hdl.properties.dense import DenseParameters
from hdl.properties.model import Model, Phase
from hdl.properties.sparse import SparseModel

Shares = dict[str, list[Element | None]]


def nm_steps(ctx: Any, model: Any) -> dict[str, int]:
    """Every step that the model can take."""
    phase, over = ctx.get(model.phase), ctx.get(model.over)
    left = [ctx.get(queue.level) and not over >> i & 1 for i, queue in enumerate(model.streams.values())]
    drop = sum(1 << i for i, some in enumerate(left) if some) if phase == Phase.DROP else 0
    return {"step": phase == Phase.PAD or ctx.get(model.paired), "drop": drop}


def rlc_steps(ctx: Any, model: Any) -> dict[str, int]:
    """A beat as soon as one can be made; a word is done with when it holds less than another one, or the matrix is complete."""
    there, phase, lanes = ctx.get(model.words.level), ctx.get(model.phase), model.parameters.output.lanes
    give = ctx.get(model.can_give)
    word = model.words.entry0
    ended = give and ctx.get(model.complete)
    stays = ctx.get(word.last) or ctx.get(model.bad(word)) or ctx.get(model.rest) - lanes * give >= lanes
    leave = phase == Phase.DROP or ended or (phase == Phase.READ and not stays)
    return {"give": give, "leave": bool(there and ctx.get(model.shapes.level) and leave)}


def relative_steps(ctx: Any, model: Any) -> dict[str, int]:
    """As for RLC, and a word is made as soon as there are beats for it and room."""
    return {**rlc_steps(ctx, model), "join": ctx.get(model.can_join) and ctx.get(model.words.level) < model.words.depth}


def codebook_steps(ctx: Any, model: Any) -> dict[str, int]:
    """Codes are looked up when nothing that was looked up waits; that is given or dropped at once."""
    phase, seen = ctx.get(model.phase), ctx.get(model.seen.level)
    step = phase == Phase.PAD or (phase == Phase.READ and seen and ctx.get(model.shapes.level))
    drop = phase == Phase.DROP and seen and not ctx.get(model.over)
    return {"look": ctx.get(model.can_look) and not seen, "step": bool(step), "drop": bool(drop)}


def coo_steps(ctx: Any, model: Any) -> dict[str, int]:
    """An entry is judged as soon as the survivor before it is taken."""
    return {"step": ctx.get(model.can_give) and not ctx.get(model.beats.level)}


def dense_steps(ctx: Any, model: Any) -> dict[str, int]:
    """Entries are judged while there is room; a survivor is put where it can be, else the beat at hand is given."""
    found, give = model.found, ctx.get(model.can_give) and not ctx.get(model.beats.level)
    put = ctx.get(found.level) and not ctx.get(model.can_give)
    return {"step": ctx.get(model.judge.can_give) and ctx.get(found.level) < found.depth, "put": bool(put), "give": give}


def bitmap_steps(ctx: Any, model: Any) -> dict[str, int]:
    """Missing masks are told as soon as there is room; a mask gets its value as soon as the beat before it is taken; masks go on then."""
    masks, pads = model.masks, ctx.get(model.teller.phase) == Phase.PAD
    step = bool(ctx.get(model.can_give) and not ctx.get(model.beats.level))
    return {"pad": pads and ctx.get(masks.level) < masks.depth, "step": step, "move": step or not ctx.get(masks.full[0])}


def csr_steps(ctx: Any, model: Any) -> dict[str, int]:
    """A survivor is judged as soon as the one before it is taken; a row pointer is told as soon as there is a place for what it says."""
    told, full = model.teller.stages[0], ctx.get(model.teller.full[0])
    place = (not ctx.get(model.open) or ctx.get(model.final)) and not ctx.get(model.done)
    move = not (full and (ctx.get(told.real) or ctx.get(told.done))) or place
    return {"take": ctx.get(model.can_take) and not ctx.get(model.beats.level), "move": bool(move)}


def csr_dense_steps(ctx: Any, model: Any) -> dict[str, int]:
    """A survivor is judged and a row pointer told as soon as there is a place; what can be put is, then a beat is made if it can be."""
    told, dropping = model.teller.stages[0], ctx.get(model.dropping)
    give = ctx.get(model.can_give) and not ctx.get(model.beats.level)
    place = not (ctx.get(model.known) or ctx.get(model.done))
    move = not (ctx.get(model.teller.full[0]) and (ctx.get(told.real) or ctx.get(told.done))) or place
    put = ctx.get(model.can_put) and (give or not ctx.get(model.can_give))
    shape = ctx.get(model.shape)
    room = ctx.get(model.judge.pairs.full) != 3
    return {
        "take": bool(ctx.get(model.judge.can_take) and room), "move": bool(move), "put": bool(put), "give": bool(give),
        "drop": bool(dropping and ctx.get(model.judge.pairs.full[0])), "row_shape": shape, "pair_shape": shape, "offered": shape,
    }


def planes_steps(ctx: Any, model: Any) -> dict[str, int]:
    """A beat is joined while there is room, and given as soon as it has its patches and the beat before it is taken."""
    room = ctx.get(model.joined.level) < model.joined.depth
    give = ctx.get(model.can_give) and not ctx.get(model.beats.level)
    mend = ctx.get(model.can_mend) and not ctx.get(model.can_give)
    return {"step": bool(room and ctx.get(model.join.can_step)), "give": bool(give), "mend": bool(mend)}


def lookup_steps(ctx: Any, model: Any) -> dict[str, int]:
    """Survivors as for CSR, put down at once; a request is judged as soon as the one before it is answered, and that when there is room."""
    ask = ctx.get(model.can_ask) and not ctx.get(model.beats.level)
    judge = ctx.get(model.can_judge) and (ask or not ctx.get(model.asked.level))
    return {**csr_steps(ctx, model.matrix), "store": ctx.get(model.can_store), "judge": bool(judge), "ask": bool(ask)}


MODELS: list[tuple[str, Callable[[Any], Any], Callable[[Any, Any], dict[str, int]]]] = [
    ("nm_2_4_tiny", nm.NmModel, nm_steps),
    ("nm_3_8_odd", nm.NmModel, nm_steps),
    ("rlc_tiny", rlc.RlcModel, rlc_steps),
    ("rlc_one_pair_n8", rlc.RlcModel, rlc_steps),
    ("rlc_lecture_tiny", rlc.RlcModel, rlc_steps),
    ("relative_tiny", relative.RelativeModel, relative_steps),
    ("codebook_tiny", codebook.CodebookModel, codebook_steps),
    ("coo_survivors_tiny", lambda p: coo_model.CooModel(p, 1), coo_steps),
    ("coo_dense4_skid", coo_model.DenseModel, dense_steps),
    ("csr_survivors_tiny", csr_model.CsrModel, csr_steps),
    ("csr_dense_tiny", csr_dense_model.DenseModel, csr_dense_steps),
    ("bitmap_n1", bitmap_model.BitmapModel, bitmap_steps),
    ("planes_tiny", planes_model.PlanesModel, planes_steps),
    ("planes_k0q6_n2_skid", planes_model.PlanesModel, planes_steps),
    ("lookup_tiny", lookup_model.LookUpModel, lookup_steps),
]


def good_matrix(p: Any, generator: random.Random) -> Shares:
    """A matrix of which no group has more survivors than the format stores."""
    some = p.rate if p.rate > 1 else 4
    flat = [0] * generator.choice([0, 1, some, some + 1, generator.randrange(min(1 << p.count_bits, 6 * some))])
    levels = [generator.getrandbits(p.output.fields[-1].bits) for _ in range(getattr(p, "entries", 64) - 1)]  # beside 0
    group, survivors = getattr(p, "m", 4), getattr(p, "n", 4)
    for start in range(0, len(flat), group):
        inside = range(start, min(start + group, len(flat)))
        for place in generator.sample(inside, min(survivors, len(inside))):
            flat[place] = generator.choice(levels)
    shares: Shares = importlib.import_module(f"golden.{p.format}").encode([flat], p)
    return shares


def csr_matrix(p: Any, generator: random.Random) -> Shares:
    """A matrix of rows and columns, of no more survivors than the format counts; in most of them a row pointer, a column or a request is
    changed.
    """
    rows, columns = generator.choice([0, 1, 2, 3, 3, 3]), generator.choice([0, 1, 2, 3, 3, 3])
    most = (1 << getattr(p, "matrix", p).count_bits) - 1
    some = set(generator.sample(range(rows * columns), generator.randrange(min(rows * columns, most) + 1)))
    values = [generator.randrange(1, 1 << p.value_bits) * (place in some) for place in range(rows * columns)]
    encode = importlib.import_module(f"golden.{p.format}").encode
    shares: Shares = encode([values[row * columns : (row + 1) * columns] for row in range(rows)], p, columns)
    which = generator.choice(["pointer", "pointer", "column", *["column", "request"] * ("request" in shares)])
    changed, number = shares[which], generator.randrange(4)
    if changed and generator.random() < 0.75:
        changed[generator.randrange(len(changed))] = (number, 0) if which == "request" else number
    return shares


def fields(port: Port, element: Element) -> Any:
    """What a lane of *port* holds: a number, or a number for each of its fields."""
    return {f.name: number for f, number in zip(port.fields, element, strict=True)} if isinstance(element, tuple) else element


def beats(port: Port, share: list[Element | None]) -> list[dict[str, Any]]:
    """The beats of a share as a stream inside the hardware has them."""
    cut, nothing = beats_of(share, port.lanes), 0 if len(port.fields) == 1 else {}
    return [
        {
            "data": [*(fields(port, one) for one in lanes), *[nothing] * (port.lanes - len(lanes))],
            "keep": (1 << len(lanes)) - 1, "last": int(number == len(cut)),
        }
        for number, lanes in enumerate(cut, 1)
    ]


def modelled(model: Model, matrices: list[Shares], steps: Callable[[Any, Any], dict[str, int]]) -> list[tuple[list[Element], int]]:
    """Elements and error code of every matrix as *model* gives them, when it takes all beats and steps that it can."""
    p = model.parameters
    counts = [fields(p.shape, matrix["shape"][0]) for matrix in matrices]
    direct = {name: getattr(model, queue) for name, queue in (("table", "tables"), ("mask", "masks")) if hasattr(model, queue)}
    queues, shares = model.streams | direct, getattr(model, "shares", {})
    waiting = {port.name: [beat for matrix in matrices for beat in beats(port, matrix[port.name])] for port in p.inputs}
    given: list[tuple[list[Element], int]] = []

    def element(lane: Any) -> Element:
        return tuple(lane[f.name] for f in p.output.fields) if len(p.output.fields) > 1 else lane

    async def run(ctx: Any) -> None:
        elements: list[Element] = []
        quiet = 0  # cycles after the last matrix
        for _ in range(100 * len(matrices)):
            quiet += len(given) == len(matrices)
            if quiet > 100:
                break
            wanted = ctx.get(getattr(model, "wants_shape", Const(1)))
            ctx.set(model.shape, more := bool(wanted and counts) and ctx.get(model.shapes.level) < model.shapes.depth)
            if more:
                ctx.set(model.count, counts.pop(0))
            for name, queue in queues.items():
                wanted = ctx.get(~shares[name].over if name in shares else getattr(model, f"wants_{name}", Const(1)))
                ctx.set(getattr(model, name), more := bool(wanted and waiting[name] and ctx.get(queue.level) < queue.depth))
                if more:
                    ctx.set(getattr(model, f"{name}_beat"), waiting[name].pop(0))
            for hint, value in steps(ctx, model).items():
                ctx.set(getattr(model, hint), value)
            assert not ctx.get(model.unasked)
            ctx.set(model.taken, owed := ctx.get(model.beats.level) > 0)
            if owed:
                beat = model.beats.entry0
                elements += [element(ctx.get(lane)) for lane, kept in zip(beat.data, beat.keep, strict=True) if ctx.get(kept)]
                assert not any(ctx.get(Value.cast(lane)) for lane, kept in zip(beat.data, beat.keep, strict=True) if not ctx.get(kept))
                if ctx.get(beat.last):
                    given.append((elements.copy(), ctx.get(beat.error)))
                    elements.clear()
                else:
                    assert ctx.get(beat.error) == 0
            await ctx.tick()

    simulator = Simulator(model)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return given


@pytest.mark.parametrize(("name", "made", "steps"), MODELS, ids=[name for name, _, _ in MODELS])
def test_a_model_of_the_proofs_agrees_with_golden(name: str, made: type[Any], steps: Any, spoil: Any) -> None:
    p = replace(CATALOG[name], name="")
    generator = random.Random(name)
    matrix = csr_matrix if isinstance(p, CsrParameters | LookUpParameters) else good_matrix
    matrices = [spoil(p, matrix(p, generator), generator) for _ in range(150)]
    decoded = [importlib.import_module(f"golden.{p.format}").decode(matrix, p) for matrix in matrices]
    assert {one.error for one in decoded} == {error.value for error in p.errors}
    assert modelled(made(p), matrices, steps) == [(one.elements, one.error) for one in decoded]


def viewed(model: SparseModel, matrices: list[Decoded]) -> list[tuple[list[tuple[int, int]], int]]:
    """Survivors and error code of every dense matrix, as the model of the sparse view gives them."""
    waiting, lanes = [], model.parameters.of.output.lanes
    for matrix in matrices:
        parts = beats_of(matrix.elements, lanes, matrix.row)
        for number, part in enumerate(parts, 1):
            last = number == len(parts)
            data = [{"value": value, "code": matrix.error * last} for value in [*part, *[0] * (lanes - len(part))]]
            waiting.append({"data": data, "keep": (1 << len(part)) - 1, "last": last})
    given: list[tuple[list[tuple[int, int]], int]] = []

    async def run(ctx: Any) -> None:
        survivors: list[tuple[int, int]] = []
        queue = model.beats
        while len(given) < len(matrices):
            ctx.set(model.dense, more := bool(waiting) and ctx.get(queue.level) + lanes < len(queue.entries))
            if more:
                ctx.set(model.dense_beat, waiting.pop(0))
            ctx.set(model.taken, owed := ctx.get(queue.level) > ctx.get(queue.open))
            if owed:
                beat = queue.entries[0]
                survivors += [(ctx.get(beat.data[0].position), ctx.get(beat.data[0].value))] * ctx.get(beat.keep)
                if ctx.get(beat.last):
                    given.append((survivors, ctx.get(beat.error)))
                    survivors = []
            await ctx.tick()

    simulator = Simulator(model)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return given


@pytest.mark.parametrize(("name", "matrix"), [("sparse_rlc_tiny", good_matrix), ("sparse_csr_tiny", csr_matrix)])
def test_the_model_of_the_sparse_view_agrees_with_golden(name: str, matrix: Callable[..., Shares], spoil: Callable[..., Shares]) -> None:
    p = CATALOG[name]
    assert isinstance(p, SparseParameters)
    generator = random.Random(p.name)
    matrices = [spoil(p.of, matrix(p.of, generator), generator) for _ in range(100)]
    dense = DenseParameters(
        lanes=p.of.output.lanes, value_bits=p.of.output.fields[0].bits, count_bits=p.position_bits, rows_apart=p.of.rows_apart
    )
    decoder = importlib.import_module(f"golden.{p.of.format}")
    decoded = [sparse.decode(shares, p) for shares in matrices]
    assert viewed(SparseModel(replace(p, of=dense)), [decoder.decode(shares, p.of) for shares in matrices]) == [
        (one.elements, one.error) for one in decoded
    ]
