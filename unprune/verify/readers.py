"""Damages files of every kind that unprune reads, by seed, and holds the readers to their word: ``python -m unprune.verify.readers``.

Whatever is in a file, its reader gives what is sound, or refuses it in one line of the exception that it documents; it takes little memory
and time, and leaves nothing behind. Where a file carries a checksum of all that is in it, a reader gives what was written or refuses.
"""

import argparse
import pickle
import random
import struct
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from golden.catalog import CATALOG
from hdl.files import DamagedFileError, read_json, write_json, write_npz
from unprune import streams
from unprune.deep_compression import Compressed, Layer, read_deep_compression
from unprune.encode.base import Tile
from unprune.files import MARKER, new_folder
from unprune.models import Model, ModelError, read_model
from unprune.verify.damage import damaged, forged, large

MOST_MEMORY = 8 << 20  # bytes that a reader may take for a file of a kilobyte
MOST_SECONDS = 10  # on a busy machine; it takes a millisecond

_MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4) - 5
_NETWORK = (Layer("a", (2, 3), 4), Layer("b", (4, 5), 4))
_DECODER = CATALOG["viterbi_k3q4"]
_TILE = Tile(22, {"shape": np.array([22], np.uint64), "index": np.array([1, 0, 1, 1, 0, 1], np.uint64)}, np.array([-3, 5, 127], np.int8))
_VALUES = {"matrices": 3, "cycles": 310.5, "tiles": [{"layer": "a", "weights": 22}]}


@dataclass(frozen=True)
class Kind:
    """Files of one kind.

    Attributes:
        name: What they are.
        file: Where in a folder such a file stands.
        make: Writes a good one.
        read: Gives what is in one.
        refusal: What *read* raises for a damaged one.
        damage: A damaged one for the bytes of a good one.
        sealed: Whether a checksum covers all of it.
    """

    name: str
    file: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    refusal: type[Exception]
    damage: Callable[[bytes, random.Random], bytes]
    sealed: bool = False


@dataclass(frozen=True)
class Tally:
    """What came of the damaged files of one kind."""

    kind: str
    files: int
    refused: int
    violations: tuple[str, ...]
    memory: int  # bytes that reading one took at most
    seconds: float  # that it took at most


def _write_released(path: Path) -> None:
    """A network in the layout that Deep Compression was released in: four pairs a layer."""
    layers = [np.arange(16 + layer.shape[0], dtype="<f4").tobytes() + bytes([0x21, 0x43, 0x10, 0x01]) for layer in _NETWORK]
    path.write_bytes(struct.pack("<2I", 4, 4) + b"".join(layers))


def _write_tile(path: Path) -> None:
    streams.write_tile(path.parent, 0, _TILE, _DECODER)


def _write_played(path: Path) -> None:
    write_npz(path, {"tdata": np.eye(5, dtype=np.uint8), "tkeep": np.ones((5, 5), np.uint8), "tuser": np.zeros(5, np.uint8)})


def _write_array(path: Path) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array(file, _MATRIX)


def _write_folder(marker: Path) -> None:
    marker.parent.rmdir()
    with new_folder(marker.parent) as part:
        (part / "a").write_text("a")


class _Entered(Exception):  # noqa: N818 (nothing is wrong)
    pass


def _enter_folder(marker: Path) -> None:
    try:
        with new_folder(marker.parent):
            raise _Entered
    except _Entered:
        pass


_ARRAY: dict[str, Any] = {"make": _write_array, "read": read_model, "refusal": ModelError}
_ARCHIVE: dict[str, Any] = {"file": "w.npz", "read": read_model, "refusal": ModelError, "damage": damaged}
_SEALED: dict[str, Any] = {"refusal": DamagedFileError, "damage": damaged, "sealed": True}

KINDS = (
    Kind("npy", "w.npy", **_ARRAY, damage=damaged),
    Kind("npz", make=lambda path: np.savez(path, w=_MATRIX, bias=np.ones(3)), **_ARCHIVE),
    Kind("npz, compressed", make=lambda path: np.savez_compressed(path, w=_MATRIX), **_ARCHIVE),
    Kind("npz with a checksum", make=lambda path: write_npz(path, {"w": _MATRIX}), **_ARCHIVE),
    Kind("npz that claims anything", "w.npz", **_ARRAY, damage=forged),
    Kind("npz that claims much", "w.npz", **_ARRAY, damage=large),
    Kind("Deep Compression", "net", _write_released, lambda path: read_deep_compression(path, _NETWORK), ModelError, damaged),
    Kind("stream in", "0000.npz", _write_tile, lambda path: streams.read_tile(path.parent, 0, _TILE.weights, _DECODER), **_SEALED),
    Kind("stream out", "0000.out.npz", _write_played, lambda path: streams.read_played(path.parent, 0), **_SEALED),
    Kind("JSON", "a.json", lambda path: write_json(path, _VALUES), read_json, **_SEALED),
    Kind("output folder", f"out/{MARKER}", _write_folder, _enter_folder, FileExistsError, damaged),
)


def fuzz(folder: Path, files: int, *, seed: int = 0, everywhere: bool = False, kinds: Sequence[Kind] = KINDS) -> Iterator[Tally]:
    """What the readers make of *files* damaged ones of each kind, in *folder*; the same *seed* damages alike.

    With *everywhere* also of one that is cut short at each byte, and one with each bit turned round, where the damage is of that nature.
    """
    for kind in kinds:
        place = folder / kind.name
        place.mkdir()
        yield _fuzz(kind, place, files, seed, everywhere)


def _damages(kind: Kind, good: bytes, files: int, seed: int, everywhere: bool) -> Iterator[tuple[str, bytes]]:
    """A name for each damaged file, and the file."""
    if everywhere and kind.damage is damaged:
        for length in range(len(good)):
            yield f"cut at {length}", good[:length]
        for bit in range(8 * len(good)):
            yield f"bit {bit}", good[: bit // 8] + bytes([good[bit // 8] ^ 1 << bit % 8]) + good[bit // 8 + 1 :]
    for number in range(files):
        yield f"number {number}", kind.damage(good, random.Random(f"{seed} {kind.name} {number}"))


def _fuzz(kind: Kind, folder: Path, files: int, seed: int, everywhere: bool) -> Tally:
    path = folder / kind.file
    path.parent.mkdir(exist_ok=True)
    kind.make(path)
    good, there, written = path.read_bytes(), _inside(folder), pickle.dumps(kind.read(path))
    total = refused = memory = 0
    seconds = 0.0
    violations = []
    tracemalloc.start()
    for name, content in _damages(kind, good, files, seed, everywhere):
        path.write_bytes(content)
        tracemalloc.reset_peak()
        before, start = tracemalloc.get_traced_memory()[0], time.perf_counter()
        wrong = []
        try:
            found = kind.read(path)
        except kind.refusal as error:
            refused += 1
            if not str(error).isprintable() or str(folder) not in str(error):
                wrong.append(f"the message is not one line that names the file: {str(error)[:80]!r}")
        except Exception as error:  # whatever else there may be is what is looked for
            wrong.append(f"{type(error).__name__}: {str(error)[:80]!r}")
        else:
            if pickle.dumps(found) != written if kind.sealed else not _sound(found):
                wrong.append("was taken for good")
        took, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1] - before
        total, memory, seconds = total + 1, max(memory, peak), max(seconds, took)
        wrong += [f"took {peak} bytes"] * (peak > MOST_MEMORY) + [f"took {took:.0f} s"] * (took > MOST_SECONDS)
        violations += [f"{kind.name}, {name}: {one}" for one in wrong]
    tracemalloc.stop()
    violations += [f"{kind.name}: {name} is left" for name in sorted(_inside(folder) - there)]
    return Tally(kind.name, total, refused, tuple(violations), memory, seconds)


def _inside(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _sound(found: object) -> bool:
    """Whether what was read is what its reader promises."""
    if isinstance(found, Model):
        matrices = list(found.layers.values())
        return bool(matrices) and all(one.dtype == np.float32 and one.ndim == 2 and one.size and np.isfinite(one).all() for one in matrices)
    if isinstance(found, list):
        return all(isinstance(one, Compressed) and np.isfinite(one.weights).all() for one in found)
    return found is None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module; 1 where a reader breaks its word."""
    parser = argparse.ArgumentParser(prog="python -m unprune.verify.readers", description="Damage files; what do the readers make of them?")
    parser.add_argument("--files", type=int, default=10_000, help="of each kind, beside every cut and every bit (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/readers.json"), help="where the rows go (default %(default)s)")
    chosen = parser.parse_args(arguments)
    table = Table("kind", "files", "refused", "violations", "most KiB", "most ms", title="Damaged files")
    rows = []
    with TemporaryDirectory() as folder:
        done = fuzz(Path(folder), chosen.files, seed=chosen.seed, everywhere=True, kinds=KINDS)
        for one in track(done, "damaging", len(KINDS), console=Console(stderr=True), transient=True):
            counts = (one.files, one.refused, len(one.violations), one.memory >> 10)
            table.add_row(one.kind, *map(str, counts), f"{1000 * one.seconds:.1f}")
            rows.append({
                "name": f"damaged files, {one.kind}", "value": len(one.violations), "unit": "violations", "bar": 0,
                "met": not one.violations, "files": one.files, "refused": one.refused, "violations": one.violations[:10],
            })
    Console().print(table)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(chosen.output, {"rows": rows})
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
