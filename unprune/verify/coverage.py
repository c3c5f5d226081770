"""What the matrices of :mod:`unprune.verify.fuzz` reach of a decoder's emitted Verilog, lines, branches and bits that toggle, and of the
contract's cases at its ports (:mod:`unprune.verify.points`).
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from golden.params.base import Parameters
from hdl.cache import scratch
from hdl.emit import verilog
from sim import player
from unprune.verify import fuzz, points

KINDS = ("line", "branch", "user", "toggle")  # as Verilator calls them


@dataclass(frozen=True)
class Coverage:
    """Points of each kind that were reached, of how many, and the Verilog of what was not.

    Attributes:
        reached, points: For each of :data:`KINDS`; ``user`` are the cases at the ports.
        missed: "kind: line of Verilog" of each point that was not reached.
    """

    reached: dict[str, int]
    points: dict[str, int]
    missed: tuple[str, ...]


def untoggled(missed: Iterable[str]) -> list[str]:
    """The signals that have bits among *missed* that do not toggle, with the numbers of these bits; of those named unused only how many."""
    bits: dict[str, set[int]] = {}
    unused = 0
    for name, bit in re.findall(r"^toggle (\w+)(?:\[\d+\])*?(?:\[(\d+)\])?:", "\n".join(missed), flags=re.MULTILINE):
        unused += "unused" in name
        if "unused" not in name:
            plain = re.sub(r"__0([0-9a-fA-F]{2})", lambda code: chr(int(code[1], 16)), name)
            bits.setdefault(plain, set()).update([int(bit)] if bit else [])
    named = [" ".join([name, *map(str, sorted(which))]) for name, which in sorted(bits.items())]
    return [f"{unused} of what is unused"] * bool(unused) + named


def measure(parameters: Parameters, *, sessions: int = 250, seed: int = 1) -> Coverage:
    """Play *sessions* and the largest matrices through the decoder, and say what they reach.

    Raises:
        RuntimeError: the decoder gave a wrong beat.
    """
    source = points.cover(verilog(parameters), parameters)
    program = player.build(source, parameters, coverage=True)
    with scratch() as work:
        folder = Path(work)
        with (folder / "sessions").open("wb") as file:
            for session in itertools.islice(fuzz.sessions(parameters, seed), sessions):
                file.write(player.to_bytes(session, parameters))
            file.write(player.to_bytes(fuzz.largest(parameters), parameters) if sessions else b"")
        played = player.play(program, folder / "sessions", folder=folder)
        if played.wrong:
            raise RuntimeError(f"{parameters.name}: {played.wrong}")
        text = (folder / "coverage.dat").read_bytes().decode(errors="replace")
    lines = source.splitlines()
    reached, of, missed = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), []
    for description, count in re.findall(r"^C '(.*)' (\d+)$", text, flags=re.MULTILINE):
        fields = dict(part.split("\2", 1) for part in description.split("\1") if "\2" in part)
        kind = fields["page"].split("/")[0].removeprefix("v_")
        if kind not in KINDS:
            continue
        of[kind] += 1
        if int(count):
            reached[kind] += 1
        else:
            missed.append(f"{kind} {fields.get('o', '')}: {lines[int(fields['l']) - 1].strip()}")
    if not (of["line"] and of["user"]):
        raise RuntimeError(f"{parameters.name}: Verilator's coverage has no lines or no cases")
    return Coverage(reached, of, tuple(missed))
