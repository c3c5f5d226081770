"""One decoder's part of the main job: layers through one format's encoder, its emitted and simulated Verilog, and back to layers.

A format is known by its name alone: ``golden.FORMAT``, ``unprune.encode.FORMAT`` and an entry of the catalogue are found by it.
"""

import importlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from golden.params.base import Parameters, check
from hdl.emit import emit
from hdl.files import read_json, write_json, write_npz
from sim.run import SimulationFailed, simulate
from unprune import streams
from unprune.encode.base import Mask, Tile
from unprune.outcome import LayerFigures, Outcome
from unprune.prune import Quantised, entropy_floor, kept_magnitude, quantise, weights_of

Weights: TypeAlias = NDArray[np.float32]
Layers: TypeAlias = Mapping[str, Weights]
Masks: TypeAlias = dict[str, NDArray[np.bool_]]
Retrain: TypeAlias = Callable[[Masks], Layers]  # the whole network, biases too, trained further with these masks held
Progress: TypeAlias = Callable[[str, int, int], None]  # the step's name, how much of it is done, how much it is

LEVEL_BITS = 8


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def round_trip(
    layers: Layers, densities: Mapping[str, float], parameters: Parameters, folder: Path, *,
    retrain: Retrain | None = None, bits: int = LEVEL_BITS, simulator: str = "verilator", progress: Progress = silent,
) -> Outcome:
    """Prune, encode, emit, simulate, check and rebuild *layers* in one format, and leave decoder and streams in *folder*.

    All tiles of all layers are played through the simulated Verilog back to back. Every output beat is compared with what ``golden`` gives
    for the same streams, every level with the one that was encoded. One tile at a time is in memory, besides a few bytes a weight.

    Args:
        layers: Name to weights, (rows, columns), finite.
        densities: Name to density, 0 to 1, for each layer that is to be pruned and decoded; the others stay as they are.
        folder: Takes ``NAME.sv``, ``NAME.json``, ``streams/`` and ``rebuilt.npz``; made where needed.
        retrain: Gives the layers to quantise, from the chosen masks; none: *layers* themselves.
        bits: Width of the levels.

    Raises:
        ValueError: no layer to decode, a density out of range, or weights that the format cannot hold.
        sim.run.SimulationFailed, sim.tools.ToolMissing, hdl.yowasp.ToolError: the simulation could not run or broke a rule of the streams.
    """
    check(bool(densities) and set(densities) <= set(layers), "the layers to decode", f"one or more of {', '.join(layers)}", list(densities))
    watch = _Stopwatch()
    with watch.step("choose"):
        masks = _choose(layers, densities, parameters, progress)
    with watch.step("train"):
        prepared = retrain({name: mask.kept for name, mask in masks.items()}) if retrain else layers
    quantised = {name: quantise(prepared[name], bits, mask.kept, name) for name, mask in masks.items()}
    with watch.step("encode"):
        tiles, costs = _encode(quantised, masks, parameters, folder / "streams", progress)
    with watch.step("simulate"):
        emit(parameters, folder)
        summary = _simulate(parameters, folder / "streams", len(tiles), simulator, progress)
    with watch.step("check"):
        checked = _check(quantised, tiles, parameters, folder / "streams", progress)
    rebuilt = {name: np.asarray(value) for name, value in prepared.items()}
    rebuilt |= {name: weights_of(levels, quantised[name].scale) for name, levels in checked.levels.items()}
    write_npz(folder / "rebuilt.npz", rebuilt)
    figures = tuple(_figures(name, layers[name], masks[name], quantised[name], *costs[name]) for name in masks)
    return Outcome(
        parameters, figures, checked.beats, checked.differing_beats, checked.differing_weights, summary["cycles"], summary["stall_cycles"],
        rebuilt, watch.seconds,
    )


class _Stopwatch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 3)


def _encoder(parameters: Parameters) -> Any:
    return importlib.import_module(f"unprune.encode.{parameters.format}")


def _choose(layers: Layers, densities: Mapping[str, float], parameters: Parameters, progress: Progress) -> dict[str, Mask]:
    total, done = sum(layers[name].size for name in densities), 0

    def advance(weights: int) -> None:
        nonlocal done
        done = min(done + weights, total)
        progress("choose", done, total)

    progress("choose", 0, total)
    return {name: _encoder(parameters).choose(layers[name], density, parameters, advance) for name, density in densities.items()}


def _encode(
    quantised: Mapping[str, Quantised], masks: Mapping[str, Mask], parameters: Parameters, folder: Path, progress: Progress
) -> tuple[list[dict[str, Any]], dict[str, tuple[int, int]]]:
    """Write all tiles; which weights each one is, and the index and value bits of each layer."""
    folder.mkdir(parents=True)
    encoder = _encoder(parameters)
    total, done = sum(one.levels.size for one in quantised.values()), 0
    tiles: list[dict[str, Any]] = []
    costs = {}
    for name, one in quantised.items():
        first = index_bits = value_bits = 0
        for tile in _tiles(name, one, masks[name], parameters):
            streams.write_tile(folder, len(tiles), tile, parameters)
            tiles.append({"layer": name, "first_weight": first, "weights": tile.weights})
            cost = encoder.cost(tile, parameters)
            index_bits, value_bits = index_bits + cost.index_bits, value_bits + cost.value_bits
            first, done = first + tile.weights, done + tile.weights
            progress("encode", done, total)
        costs[name] = index_bits, value_bits
    write_json(folder / "tiles.json", streams.describe(parameters, tiles))
    return tiles, costs


def _tiles(name: str, quantised: Quantised, mask: Mask, parameters: Parameters) -> Iterator[Tile]:
    try:
        yield from _encoder(parameters).encode(quantised.levels, mask, parameters)
    except ValueError as error:
        advice = f"skip it (--layer {name}=skip) or take another decoder (unprune formats)"
        raise ValueError(f"layer {name} does not fit {parameters.name}: {error}; {advice}") from error


def _simulate(parameters: Parameters, folder: Path, matrices: int, simulator: str, progress: Progress) -> dict[str, int]:
    """Play *folder* through the simulated Verilog; what the bench's ``summary.json`` says."""
    progress("simulate", 0, matrices)
    work = Path(tempfile.mkdtemp(prefix="unprune-"))
    try:
        with _watching(folder / "progress", matrices, progress):
            environment = {"UNPRUNE_STREAMS": str(folder.absolute())}
            simulate(parameters, "bench_stream", folder=work, simulator=simulator, environment=environment)
    except SimulationFailed:
        raise  # the message names a log in the folder, which therefore stays
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(work, ignore_errors=True)
    (folder / "progress").unlink()
    summary = read_json(folder / "summary.json")
    progress("simulate", matrices, matrices)
    return summary


@contextmanager
def _watching(file: Path, matrices: int, progress: Progress) -> Iterator[None]:
    """Report within the block how many lines *file* has."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            if file.exists():
                progress("simulate", file.read_bytes().count(b"\n"), matrices)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass
class _Checked:
    levels: dict[str, NDArray[Any]]
    beats: int = 0
    differing_beats: int = 0
    differing_weights: int = 0


def _check(
    quantised: Mapping[str, Quantised], tiles: list[dict[str, Any]], parameters: Parameters, folder: Path, progress: Progress
) -> _Checked:
    """Compare what came out with golden and with the levels, and put the levels that came out together."""
    golden = importlib.import_module(f"golden.{parameters.format}")
    encoder = _encoder(parameters)
    checked = _Checked({name: np.zeros(one.levels.shape, one.levels.dtype) for name, one in quantised.items()})
    total, done = sum(one.levels.size for one in quantised.values()), 0
    progress("check", 0, total)
    for number, place in enumerate(tiles):
        tile = streams.read_tile(folder, number, place["weights"], parameters)
        played = streams.read_played(folder, number)
        decoded = golden.decode(streams.shares(tile), parameters)
        beats, differing = streams.differing_beats(played, decoded, parameters.output)
        checked.beats += beats
        checked.differing_beats += differing
        part = slice(place["first_weight"], place["first_weight"] + tile.weights)
        into = checked.levels[place["layer"]].reshape(-1)[part]
        if not differing:  # else the tile stays 0: with wrong beats no weight can be trusted
            elements = streams.unpack(parameters.output, played.data, played.keep)
            into[:] = encoder.rebuild(elements, tile, parameters)
        checked.differing_weights += int((into != quantised[place["layer"]].levels.reshape(-1)[part]).sum())
        done += tile.weights
        progress("check", done, total)
    return checked


def _figures(name: str, weights: Weights, mask: Mask, quantised: Quantised, index_bits: int, value_bits: int) -> LayerFigures:
    survivors = int(mask.kept.sum())
    floor = entropy_floor(mask.kept, quantised.levels)
    kept = float(np.abs(weights[mask.kept], dtype=np.float64).sum())
    share = kept_magnitude(weights, mask.kept, name)
    return LayerFigures(
        name, (weights.shape[0], weights.shape[1]), survivors, quantised.lost, index_bits, value_bits,
        floor.mask_bits_per_weight * weights.size, floor.value_bits_per_survivor * survivors, kept, kept / share if share else kept,
    )
