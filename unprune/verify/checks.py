"""What is checked of every format, and how: each check is one cell of a format's row in the sign-off table."""

import functools
import hashlib
import importlib
import importlib.util
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from golden.catalog import CATALOG, DEFAULTS
from golden.params.base import Parameters
from hdl.cache import scratch
from hdl.emit import verilog
from hdl.properties import bounded
from hdl.properties.claims import Claim
from sim import player, tools
from sim.run import simulate, simulate_verilog
from synth import equivalence
from unprune.verify import coverage, fuzz, mutants

Row = dict[str, Any]

SMALL_BITS = 80  # of all ports together: what proofs decide in seconds
MANY = 100_000  # matrices of a format's fuzz, in full
MUTANTS = 200


def entries(format: str) -> list[Parameters]:
    """The format's decoders in the catalogue, its default first."""
    return [one for one in CATALOG.values() if one.format == format]


def small(format: str) -> list[Parameters]:
    """Those of them that proofs decide in seconds."""
    ports = {one.name: (one.shape, *one.inputs, one.output) for one in entries(format)}
    return [one for one in entries(format) if one.count_bits <= 8 and sum(8 * port.beat_bytes for port in ports[one.name]) <= SMALL_BITS]


def narrowest(format: str) -> Parameters:
    """That of them with the fewest bits of elements on all ports together."""

    def bits(one: Parameters) -> int:
        return sum(field.bits * port.lanes for port in (one.shape, *one.inputs, one.output) for field in port.fields)

    return min(entries(format), key=bits)


@functools.cache
def digest(name: str) -> str:
    """Of the source of the decoders and of what the check *name* does: a row of another says nothing of these."""
    rooms = ["golden/**", "sim/**", "synth/**", "unprune/**", "hdl", *["hdl/properties/**"] * (name == "proofs")]
    files = {path for room in rooms for path in Path(__file__).parents[2].glob(f"{room}/*") if path.suffix in (".py", ".cpp")}
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files))).hexdigest()[:16]


def golden(format: str, full: bool) -> Row:
    """Encoded tiles of all decoders of the format come back from golden's decoder as they were."""
    each = 2000 if full else 100
    lost = {one.name: fuzz.round_trips(one, each, 1) for one in entries(format)}
    bad = [name for name, count in lost.items() if count]
    return {"value": sum(lost.values()), "unit": "lost", "bar": 0, "text": f"{each * len(lost):,} round trips", "message": ", ".join(bad)}


def simulation(format: str, full: bool) -> Row:
    """The cocotb bench passes on the format's default decoder, in full on all."""
    passed = 0
    for one in entries(format) if full else [DEFAULTS[format]]:
        with scratch() as work:
            passed += len(simulate(one, f"bench_{format}", folder=Path(work)).outcomes)
    return {"value": 0, "unit": "failed", "bar": 0, "text": f"{passed} bench tests", "message": ""}


def simulators(format: str, full: bool) -> Row:
    """The bench of the narrowest decoder passes in Icarus, to which unknown is not 0 or 1, in full with its iCE40 netlist too; and in each
    of these runs every beat moves in the same clock cycle as in Verilator."""
    one = narrowest(format)
    runs = {"icarus": verilog(one), "verilator": verilog(one)}
    tools.check("icarus")
    if full:
        runs["icarus, ice40"] = equivalence.simulatable(equivalence.netlist(verilog(one), one.name, "ice40"), one.name, "ice40")
    passed, transfers = 0, {}
    for run, source in runs.items():
        with scratch() as work:
            file = Path(work) / f"{one.name}.sv"
            file.write_text(source)
            environment = {"UNPRUNE_PARAMETERS": one.to_json()} | ({"UNPRUNE_GATES": "1"} if "," in run else {})
            simulated = simulate_verilog(
                file, [f"sim.bench_{format}"], top=one.name, folder=file.parent, simulator=run.split(",")[0], environment=environment
            )
            passed += len(simulated.outcomes)
            transfers[run] = re.findall(r"transfers ([0-9a-f]{16})", simulated.log.read_text())
    apart = [run for run, seen in transfers.items() if not seen or seen != transfers["verilator"]]
    text = f"{passed} bench tests in {len(runs)} runs{', the same cycles' * (not apart)}"
    return {"value": len(apart), "unit": "runs apart", "bar": 0, "text": text, "message": ", ".join(apart)}


def stalls(format: str, full: bool) -> Row:
    """Well-formed matrices under stalls and resets give what golden says, beat for beat."""
    return _played(format, 20_000 if full else 500, 0.0, full)


def faults(format: str, full: bool) -> Row:
    """Damaged matrices too, in full also of the largest shapes: exact count, golden's error code, the next matrix right, no hang."""
    return _played(format, MANY if full else 2000, 0.7, full)


def _played(format: str, count: int, damaged: float, full: bool) -> Row:
    """*count* matrices through the default decoder, and a tenth as many through each other one if in full."""
    matrices, wrong = 0, []
    codes: set[str] = set()
    for one in entries(format) if full else [DEFAULTS[format]]:
        wanted = count if one == DEFAULTS[format] else count // 10
        played, seen = play(one, verilog(one), wanted, damaged, largest=full and damaged > 0)
        matrices, codes = matrices + played.matrices, codes | seen
        wrong += [f"{one.name}: {played.wrong}"] if played.wrong else []
    known = {error.name for error in DEFAULTS[format].errors if error.value}
    unseen = sorted(known - codes) if damaged and full else []
    wrong += [f"never seen: {', '.join(unseen)}"] if unseen else []
    what = f", {len(codes)} error codes" if damaged else ""
    return {"value": len(wrong), "unit": "violations", "bar": 0, "text": f"{matrices:,} matrices{what}", "message": "; ".join(wrong)}


def play(
    parameters: Parameters, source: str, count: int, damaged: float, *, largest: bool = False, seed: int = 1
) -> tuple[player.Played, set[str]]:
    """Play at least *count* whole matrices through *source*, those of :func:`fuzz.largest` too if wanted, and say what became of them and
    which errors were among them."""
    program = player.build(source, parameters)
    codes: set[str] = set()
    with scratch() as work:
        file, whole = Path(work) / "sessions", 0
        with file.open("wb") as out:
            out.write(player.to_bytes(fuzz.largest(parameters), parameters) if largest else b"")
            for session in fuzz.sessions(parameters, seed, damaged=damaged):
                out.write(player.to_bytes(session, parameters))
                whole += 0 if session.cut else len(session.matrices)
                for shares in () if session.cut else session.matrices[:8]:
                    codes.add(parameters.errors(player.golden(shares, parameters).error).name)
                if whole >= count:
                    break
        played = player.play(program, file, seed=seed)
    if not played.wrong and played.matrices < count:
        played = player.Played(f"only {played.matrices} of {count} matrices came out")
    return played, codes - {"NONE"}


def proofs(format: str, full: bool) -> Row:
    """Every claim about the format's decoders is proven, its cases are reached, and every design broken on purpose is rejected."""
    claims = list(_claims(format))
    if not full:
        first = next((claim.design for claim in claims if not claim.rejects), "")
        claims = [claim for claim in claims if claim.design == first]
    failed: list[str] = []
    counts = dict.fromkeys(("proven", "proven within a bound", "with all cases reached", "broken designs caught"), 0)
    for claim in claims:
        with scratch() as work:
            holds, proof = claim.check(Path(work))
        failed += [] if holds else [f"{claim.name}: {proof.message}"]
        sound = {"prove": "proven", "pdr": "proven", "cover": "with all cases reached"}.get(claim.mode, "proven within a bound")
        counts["broken designs caught" if claim.rejects else sound] += holds
    failed += [] if counts["proven"] + counts["proven within a bound"] else ["nothing is proven"]
    text = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return {"value": len(failed), "unit": "failed", "bar": 0, "text": text, "message": "; ".join(failed)}


def _claims(format: str) -> Iterator[Claim]:
    if importlib.util.find_spec(f"hdl.properties.{format}"):  # groups have no model of their own
        yield from importlib.import_module(f"hdl.properties.{format}").claims()
    names = {one.name for one in entries(format)}
    yield from (claim for claim in bounded.claims() if claim.design.removesuffix("_ports") in names)


def gates(format: str, full: bool) -> Row:
    """The small decoders' Verilog is the RTLIL that proofs are made of, their netlists are that Verilog, and play matrices as it does."""
    failed, same, from_zeros, matrices = [], 0, 0, 0
    targets = [what for what in equivalence.CHECKED if what != equivalence.SHIPPED]
    for one in small(format)[: None if full else 1]:
        compared = [equivalence.shipped_equals_proven(one)]
        for target in targets if full else targets[-1:]:
            mapped = equivalence.netlist(verilog(one), one.name, target)
            compared += [equivalence.netlist_equals_shipped(one, target, mapped)] if full else []
            played, _ = play(one, equivalence.simulatable(mapped, one.name, target), 2000 if full else 200, 0.5)
            matrices += played.matrices
            failed += [f"{one.name} on {target}: {played.wrong}"] if played.wrong else []
        failed += [f"{one.name} {each.what}: {each.at_ports or 'nothing compared'}" for each in compared if not each.holds]
        same += sum(each.holds for each in compared)
        from_zeros += sum(each.at_ports == "ZEROS" for each in compared)
    failed += [] if same and matrices else ["nothing was compared"]
    text = f"{same} equivalent{f' ({from_zeros} from zeros)' * bool(from_zeros)}, {matrices:,} matrices"
    return {"value": len(failed), "unit": "failed", "bar": 0, "text": text, "message": "; ".join(failed)}


def mutations(format: str, full: bool) -> Row:
    """Of small mistakes put into the small decoders' Verilog each is noticed, or proven to be none."""
    each, chosen = (MUTANTS, small(format)) if full else (20, small(format)[:1])
    found = [mutants.hunt(one, each) for one in chosen]
    counts = {of: sum(getattr(one, of) for one in found) for of in ("wrong", "late", "equivalent", "from_zeros")}
    open_ones = [mutation for one in found for mutation in one.surviving]
    told = [f"{count} {of.replace('from_zeros', 'equivalent from zeros')}" for of, count in counts.items() if count or of != "from_zeros"]
    text = f"{sum(one.total for one in found)} mutants: {', '.join(told)}, {len(open_ones)} surviving"
    few = sum(one.total < each for one in found) if found else 1
    message = "; ".join([*open_ones, *[f"less than {each} mutants of a decoder"] * bool(few)])
    return {"value": len(open_ones) + few, "unit": "surviving", "bar": 0, "text": text, "message": message}


def covered(format: str, full: bool) -> Row:
    """In full, all lines and branches of the default decoder's Verilog and all cases at its ports are reached; of bits, the share told."""
    found = coverage.measure(DEFAULTS[format], sessions=250 if full else 25)
    missed = [point for point in found.missed if not point.startswith("toggle")]
    share = {kind: 100 * found.reached[kind] / found.points[kind] if found.points[kind] else 100 for kind in coverage.KINDS}
    named = {"user": f"{found.reached['user']} of {found.points['user']} cases"}
    text = ", ".join(named.get(kind, f"{kind} {value:.1f} %") for kind, value in share.items())
    still = coverage.untoggled(found.missed)
    message = "; ".join([*missed, *[f"bits that do not toggle: {', '.join(still)}"] * bool(still)])
    return {"value": len(missed) if full else 0, "unit": "lines, branches and cases", "bar": 0, "text": text, "message": message}


CHECKS: dict[str, Callable[[str, bool], Row]] = {
    "golden": golden, "simulation": simulation, "simulators": simulators, "stalls": stalls, "faults": faults, "proofs": proofs,
    "gates": gates, "mutants": mutations, "coverage": covered,
}


def check(format: str, name: str, full: bool) -> Row:
    """One cell: the row of the check *name* of *format*; a check that cannot be done is one that is not met, with the reason."""
    start = time.monotonic()
    try:
        row = CHECKS[name](format, full)
    except Exception as error:  # whatever it is, the other cells are still wanted
        row = {"value": None, "unit": "", "bar": 0, "text": "not done", "message": " ".join(str(error).split())}
    command = f"unprune verify {format} --only {name}" + " --full" * full
    named = {"name": f"{format} {name}", "format": format, "check": name, "command": command, "digest": digest(name)}
    return named | row | {"met": row["value"] == row["bar"], "seconds": round(time.monotonic() - start, 1)}
