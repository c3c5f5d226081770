"""Plays many matrices through a decoder's emitted Verilog, compiled by Verilator, and compares every beat: about a million cycles a second.

The cocotb benches say what has to hold and are there to be read; this is for numbers that they cannot reach. It keeps to the same rules:
what ``golden`` says comes out, beat for beat, under every pattern of stalls; an offered beat stays; nothing comes out in a reset, nor after
the last beat; something moves at least every 2,000 cycles, or as a session says; lines without ``tvalid`` and bytes without ``tkeep``
carry noise, and registers start with random values.
"""

import contextlib
import functools
import hashlib
import importlib
import json
import os
import shutil
import struct
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden.bits import Element, to_beats
from golden.decoded import Decoded
from golden.params.base import Parameters, Port
from hdl.cache import scratch
from sim import tools

Shares = Mapping[str, Sequence[Element | None]]  # what one matrix is on each input port, "shape" included
Stall = tuple[int, int]  # the chance of a pause in 256, and for how many cycles it is drawn at once

KEPT = 512  # players in the cache, a quarter of a megabyte each; the longest unused go first
SOURCE = Path(__file__).with_name("player.cpp")
FLAGS = ("--cc", "--exe", "--build", "-O3", "--x-assign", "unique", "--x-initial", "unique", "-Wno-fatal", "-Wno-lint")


@dataclass(frozen=True)
class Session:
    """What is played from one reset to the next.

    Attributes:
        matrices: One after the other.
        stalls: Of each input, the shape first, and of the output.
        seed: Of the stalls.
        cut: The clock cycle after reset in which the session is broken off by the next one's reset; 0: it is played to its end.
        patience: While a beat is awaited, some beat moves at least every so many clock cycles.
    """

    matrices: Sequence[Shares]
    stalls: Sequence[Stall]
    seed: int = 0
    cut: int = 0
    patience: int = 2000


@dataclass(frozen=True)
class Played:
    """What became of the sessions.

    Attributes:
        wrong: "" where every beat was right, else what was not and in which session, beat and cycle.
        matrices, beats, cycles: That came out and were right, and that it took; 0 where something was wrong.
    """

    wrong: str
    matrices: int = 0
    beats: int = 0
    cycles: int = 0


class BuildFailed(RuntimeError):  # noqa: N818 (an event, not an error of the caller)
    """Verilator or the compiler refused a design. The message is one line, and ends with what the tool said first."""


def golden(shares: Shares, parameters: Parameters) -> Decoded:
    """What ``golden`` says that hardware gives for one matrix."""
    decoded: Decoded = importlib.import_module(f"golden.{parameters.format}").decode(shares, parameters)
    return decoded


def to_bytes(session: Session, parameters: Parameters) -> bytes:
    """*session*, with what ``golden`` expects of it, as ``player.cpp`` reads it."""
    inputs = (parameters.shape, *parameters.inputs)
    played = [_input_beats(port, [shares[port.name] for shares in session.matrices]) for port in inputs]
    expected, owed = _output_beats(parameters.output, [golden(shares, parameters) for shares in session.matrices])
    numbers = [session.seed & 0xFFFFFFFF, session.cut, session.patience, *(number for stall in session.stalls for number in stall)]
    numbers += [*(count for _, count in played), owed]
    return struct.pack(f"<{len(numbers)}I", *numbers) + b"".join(data for data, _ in played) + expected


def _input_beats(port: Port, shares: Iterable[Sequence[Element | None]]) -> tuple[bytes, int]:
    made: list[bytes] = []
    for share in shares:
        beats = list(to_beats(port, share))
        if port.framed:
            made += [data + _packed(keep) + bytes([number == len(beats) - 1]) for number, (data, keep) in enumerate(beats)]
        else:
            made += [data for data, _ in beats]
    return b"".join(made), len(made)


def _output_beats(port: Port, matrices: Iterable[Decoded]) -> tuple[bytes, int]:
    made: list[bytes] = []
    for decoded in matrices:
        beats = list(to_beats(port, decoded.elements, decoded.row))
        last = len(beats) - 1
        made += [
            data + _packed(keep) + bytes([number == last, decoded.error if number == last else 0])
            for number, (data, keep) in enumerate(beats)
        ]
    return b"".join(made), len(made)


@functools.cache
def _packed(keep: bytes) -> bytes:
    return sum(flag << i for i, flag in enumerate(keep)).to_bytes(-(-len(keep) // 8), "little")


def _ports(parameters: Parameters, mutated: bool) -> str:
    """The header that tells ``player.cpp`` of the ports."""

    def lines(prefix: str, port: Port, output: bool) -> str:
        widths = {"tdata": 8 * port.beat_bytes}
        widths |= {"tkeep": port.beat_bytes, "tlast": 1} if port.framed else {}
        widths |= {"tuser": port.user_bits} if output else {}
        return ", ".join(f'{{"{name}", &top.{prefix}_{name}, {bits}}}' for name, bits in widths.items())

    inputs = (parameters.shape, *parameters.inputs)
    prefixes = [(f"s_axis_{port.name}", port) for port in inputs]
    given = [f"{{&top.{prefix}_tvalid, &top.{prefix}_tready, {{{lines(prefix, port, False)}}}}}" for prefix, port in prefixes]
    prefix = f"m_axis_{parameters.output.name}"
    most = max(port.beat_bytes for port in inputs)
    return "\n".join([
        "#include <cstdint>", "#include <cstring>", "#include <vector>", '#include "Vtop.h"', *["#define MUTATED"] * mutated,
        "using Top = Vtop;", f"constexpr size_t MOST_BYTES = {most};",
        "struct Line { const char *name; void *at; unsigned bits; size_t bytes() const { return (bits + 7) / 8; }",
        "  void set(const uint8_t *to) const { memcpy(at, to, bytes()); }",
        "  bool is(const uint8_t *what) const { return !memcmp(at, what, bytes()); } };",
        "struct Input { uint8_t *valid, *ready; std::vector<Line> lines; };",
        "struct Output { uint8_t *valid, *ready, *last; std::vector<Line> lines; };",
        f"inline std::vector<Input> inputs_of(Top &top) {{ return {{{', '.join(given)}}}; }}",
        f"inline Output output_of(Top &top) {{ return {{&top.{prefix}_tvalid, &top.{prefix}_tready, &top.{prefix}_tlast,"
        f" {{{lines(prefix, parameters.output, True)}}}}}; }}", "",
    ])  # fmt: skip


def build(source: str, parameters: Parameters, *, mutated: bool = False, coverage: bool = False) -> Path:
    """The player of the decoder whose Verilog is *source*, out of the cache if it was built before.

    Args:
        mutated: The decoder has an input ``mutation`` beside its ports.
        coverage: A run leaves ``coverage.dat`` in its working folder.

    Raises:
        BuildFailed: a tool refused it.
        ToolMissing: this machine lacks one.
    """
    tools.check("verilator")
    texts = {"decoder.sv": source, "ports.h": _ports(parameters, mutated), "player.cpp": SOURCE.read_text()}
    covered = ["--coverage-line", "--coverage-toggle", "--coverage-user"] if coverage else []
    command = ["verilator", *FLAGS, *covered, "--top-module", parameters.name, "--prefix", "Vtop", "--Mdir", "made"]
    key = hashlib.sha256(json.dumps([texts, command, tools.version("verilator"), tools.compiler_version()]).encode()).hexdigest()[:32]
    kept = tools.cache_folder() / "players" / key
    kept.parent.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.utime(kept)
        return kept / "player"
    with scratch() as temporary:
        folder = Path(temporary)
        for name, text in texts.items():
            (folder / name).write_text(text)
        done = subprocess.run(
            [*command, "-o", "player", "-CFLAGS", f"-I{folder}", "decoder.sv", "player.cpp"], cwd=folder, env=tools.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
        if done.returncode:
            errors = [line for line in done.stdout.splitlines() if "rror" in line] or done.stdout.splitlines()[-1:]
            raise BuildFailed(f"{parameters.name}: Verilator cannot build it: {errors[0] if errors else 'it said nothing'}")
        made = folder / key
        made.mkdir()
        shutil.copy2(folder / "made" / "player", made / "player")
        tools.keep(made, kept)
    tools.forget(kept.parent, KEPT)
    return kept / "player"


def play(player: Path, sessions: Path, *, seed: int = 1, mutation: int = 0, folder: Path | None = None) -> Played:
    """Run *player*, which :func:`build` gave, on a file of sessions as of :func:`to_bytes`, one after the other.

    Args:
        seed: Of what registers hold before the first reset.
        mutation: Which one is at work, from 1, in a decoder with mutations; 0 is none.
        folder: The working folder.
    """
    command = [str(player), str(sessions.absolute()), str(seed), str(mutation)]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the player stopped with exit code {done.returncode}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if done.returncode:
        return Played("{what}: session {session}, beat {beat}, cycle {cycle}".format(**said))
    return Played("", said["matrices"], said["beats"], said["cycles"])
