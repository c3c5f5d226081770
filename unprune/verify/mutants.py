"""Would a mistake be noticed? Small mistakes are put into a decoder's emitted Verilog, and each has to be killed or shown to be none.

yosys spreads the mutations evenly over cells, ports and lines of the source: a bit inverted, stuck at 0 or 1, or taken from elsewhere.
All of them are compiled into one simulation, in which an input says which is at work, and each plays the same sessions of matrices
(:mod:`unprune.verify.fuzz`). One that changes no beat and no number of clock cycles is compared with the sound design by proof: signal by
signal (:mod:`synth.equivalence`), or else at the ports (:mod:`synth.ports`), from any first state of both or, if that is not decided, from
zeros.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from golden.params.base import Parameters
from hdl import yowasp
from hdl.cache import scratch
from hdl.emit import verilog
from sim import player
from synth import equivalence, ports
from unprune.verify import fuzz

SESSIONS = 250  # of 40 matrices
FURTHER = 12  # times as many for what these do not tell
STARTS = range(1, 25)  # seeds of what registers hold before reset


@dataclass(frozen=True)
class Mutants:
    """What became of the mutants of a decoder.

    Attributes:
        wrong: So many gave a wrong beat, or none.
        late: So many gave the right beats in another number of clock cycles.
        equivalent: So many give the same at the ports as the sound design, for ever, as was proven.
        from_zeros: So many do when all registers start with 0; of other first states only those that were played are known.
        surviving: yosys' command for each of all others.
    """

    wrong: int
    late: int
    equivalent: int
    from_zeros: int
    surviving: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many there were."""
        return self.wrong + self.late + self.equivalent + self.from_zeros + len(self.surviving)


def hunt(
    parameters: Parameters, count: int = 200, *, seed: int = 1, sessions: int = SESSIONS, progress: Callable[[int, int], None] | None = None
) -> Mutants:
    """Put *count* mutants of the decoder, one after the other, through simulation and what survives it through the proof.

    Args:
        seed: Of the mutations and of the matrices.
        progress: Called with the number of mutants that are done with, and of all.

    Raises:
        RuntimeError: the sound design fails.
        hdl.yowasp.ToolError, sim.player.BuildFailed: a tool failed.
    """
    with scratch() as work:
        folder = Path(work)
        base = _base(parameters, folder)
        mutations = _mutations(folder, count, seed)
        controlled = [f"{mutation} -ctrl mutation 16 {number}" for number, mutation in enumerate(mutations, start=1)]
        (folder / "all.ys").write_text("\n".join(["read_rtlil base.il", *controlled, "opt_clean", "write_verilog -noattr all.v", ""]))
        yowasp.run("yosys", ["-q", "all.ys"], folder)
        program = player.build((folder / "all.v").read_text(), parameters, mutated=True)
        source = fuzz.sessions(parameters, seed)
        played = functools.partial(_plays, parameters, program)
        first = played(itertools.islice(source, sessions), folder / "first", STARTS)
        further = functools.cache(lambda: played(itertools.islice(source, FURTHER * sessions), folder / "further", (1,)))
        found: dict[str, list[str]] = {"wrong": [], "late": [], "equivalent": [], "from_zeros": [], "surviving": []}
        for number, mutation in enumerate(mutations, start=1):
            other = first.differs(number, slice(1))  # most do; what changes no signal's meaning need not be played any longer
            if not other and equivalence.same_bit_by_bit(parameters.name, base, mutation):
                found["equivalent"].append(mutation)
            elif other := other or first.differs(number, slice(1, None)) or further().differs(number):
                found["wrong" if other.wrong else "late"].append(mutation)
            else:
                found[_proven(parameters, base, mutation)].append(mutation)
            if progress:
                progress(number, len(mutations))
    surviving = tuple(found.pop("surviving"))
    return Mutants(**{what: len(those) for what, those in found.items()}, surviving=surviving)


@dataclass(frozen=True)
class _Plays:
    """A file of sessions, and what the sound design gives for them from each of some first states of the registers."""

    program: Path
    file: Path
    sound: Mapping[int, player.Played]

    def differs(self, mutation: int, starts: slice = slice(None)) -> player.Played | None:
        """What the mutant gives where the sound design gives something else, from those *starts* of the first states; some only show with
        some.
        """
        chosen = list(self.sound.items())[starts]
        runs = ((player.play(self.program, self.file, seed=start, mutation=mutation), good) for start, good in chosen)
        return next((one for one, good in runs if one != good), None)


def _plays(parameters: Parameters, program: Path, sessions: Iterable[player.Session], file: Path, starts: Iterable[int]) -> _Plays:
    with file.open("wb") as out:
        for session in sessions:
            out.write(player.to_bytes(session, parameters))
    sound = {start: player.play(program, file, seed=start) for start in starts}
    for one in sound.values():
        if one.wrong:
            raise RuntimeError(f"{parameters.name} without a mutation must pass, but {one.wrong}")
    return _Plays(program, file, sound)


def _proven(parameters: Parameters, base: str, mutation: str) -> str:
    """What the *mutation* of *base*, which changes some signal's meaning, is proven to be: nothing that is seen at the ports changes."""
    answer = ports.compare(parameters, {"base.il": base}, "read_rtlil base.il", f"read_rtlil base.il\n{mutation}")
    return {"PASS": "equivalent", "ZEROS": "from_zeros"}.get(answer, "surviving")


def _base(parameters: Parameters, folder: Path) -> str:
    """The design that mutations are applied to, as RTLIL; also in the file ``base.il``."""
    (folder / "decoder.sv").write_text(verilog(parameters))
    prepare = f"read_verilog -sv decoder.sv; prep -top {parameters.name} -flatten; opt -full; memory_map; opt_clean; write_rtlil base.il"
    yowasp.run("yosys", ["-q", "-p", prepare], folder)
    return (folder / "base.il").read_text()


def _mutations(folder: Path, count: int, seed: int) -> list[str]:
    """*count* of yosys' mutations of ``base.il``; of the clock itself there are none."""
    yowasp.run("yosys", ["-q", "-p", f"read_rtlil base.il; mutate -list {count + count // 4 + 8} -seed {seed} -o mutations"], folder)
    listed = [line for line in (folder / "mutations").read_text().splitlines() if "-port CLK " not in line]
    return listed[:count]
