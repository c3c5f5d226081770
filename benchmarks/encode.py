"""How fast the Viterbi encoder is, beside what a user would take instead: ``python -m benchmarks.encode``.

Prints a table and writes its rows to out/bench.json. Speeds that are compared are measured in turns in one run; the best of each
counts. One worker is compared by the time that its core gave it, so that other jobs on the machine matter little; two workers are
compared by the clock on the wall, which means something on a quiet machine only. Golden's time for a weight grows with 2**k, so the
goal against it is set for the code that is the catalogue's default, k = 8.
"""

import importlib
import importlib.util
import platform
import random
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import scipy.sparse
import typer

from benchmarks.page import show
from golden import viterbi as golden
from golden.catalog import DEFAULTS
from golden.params.viterbi import ViterbiParameters
from hdl.files import write_json
from unprune.encode import viterbi
from unprune.encode.pack import pack
from unprune.encode.taps import draw

DENSITY = 0.1
ROWS, COLUMNS = 1024, 4096
LARGE_ROWS = 8192  # for two workers: starting them takes a millisecond, of the ten that the other matrix takes
ALEXNET = ((4096, 9216), (4096, 4096), (1000, 4096))
ROUNDS = 7
CASES = 10_000

Row = dict[str, Any]


def at_least(name: str, value: float, bar: float | None, unit: str = "1") -> Row:
    """A measured value and the goal that it reaches or passes; None: no goal is set."""
    return {"name": name, "value": round(value, 3), "unit": unit, "bar": bar, "met": None if bar is None else value >= bar}


def at_most(name: str, value: float, bar: float, unit: str) -> Row:
    """A measured value and the goal that it must not pass."""
    return {"name": name, "value": round(value, 3), "unit": unit, "bar": bar, "met": value <= bar}


def code(k: int, q: int) -> ViterbiParameters:
    """A comparator of 3 outputs, threshold 1, and taps by the designer's rules: their choice has no influence on speed."""
    blank = ViterbiParameters(k=k, q=q, comparator=3, taps=(1,) * (3 * q))
    return replace(blank, taps=draw(blank, random.Random(0)), name="")


def seconds(clock: Callable[[], float], *jobs: Callable[[], object]) -> list[float]:
    """The best time by *clock* of each of *jobs*, which run in turns; the first turn warms up."""
    best = [float("inf")] * len(jobs)
    for turn in range(1 + ROUNDS):
        for i, job in enumerate(jobs):
            start = clock()
            job()
            best[i] = min(best[i], clock() - start) if turn else best[i]
    return best


def speeds(k: int, q: int, bar: float, golden_bar: float | None) -> list[Row]:
    """One code against scipy's CSR of a matrix with as many survivors, two workers against one, and golden."""
    parameters = code(k, q)
    weights = np.random.default_rng(0).standard_normal((ROWS, COLUMNS)).astype(np.float32)
    limit = float(np.quantile(np.abs(weights), 1 - DENSITY))
    dense = np.where(np.abs(weights) > limit, weights, np.float32(0))
    threshold = 0.8 * limit
    one, csr = seconds(time.thread_time, lambda: pack(weights, threshold, parameters, workers=1), lambda: scipy.sparse.csr_matrix(dense))
    large = np.random.default_rng(0).standard_normal((LARGE_ROWS, COLUMNS), np.float32)
    alone, together = seconds(time.perf_counter, *(partial(pack, large, threshold, parameters, workers=workers) for workers in (1, 2)))
    few = np.rint(weights.ravel()[: 200 * q] * 30 - 50).astype(int).tolist()
    start = time.thread_time()
    golden.search(few, parameters)
    slow = (time.thread_time() - start) / len(few)
    name = f"k={k} q={q} c=3"
    return [
        at_least(f"{name}, one worker", weights.size / one / 1e6, None, "Mweight/s"),
        at_least(f"{name}, one worker / scipy csr_matrix", csr / one, bar),
        at_least(f"{name}, two workers / one, {LARGE_ROWS} x {COLUMNS}", alone / together, 1.7),
        at_least(f"{name}, one worker / golden", slow / (one / weights.size), golden_bar),
    ]


def alexnet() -> list[Row]:
    """Masks for the fully connected layers of AlexNet's shapes, drawn, on two workers."""
    parameters = code(8, 5)
    rng = np.random.default_rng(0)
    layers = [rng.standard_normal(shape, np.float32) for shape in ALEXNET]
    size = sum(layer.nbytes for layer in layers)
    start = time.perf_counter()
    masks = [viterbi.choose(layer, DENSITY, parameters, workers=2) for layer in layers]
    wall = time.perf_counter() - start
    off = max(abs(float(mask.kept.mean()) - DENSITY) for mask in masks)
    masks.clear()
    tracemalloc.start()
    masks += [viterbi.choose(layer, DENSITY, parameters, workers=2) for layer in layers]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return [
        at_most("AlexNet's fully connected layers, k=8 q=5 c=3, two workers", wall, 3.0, "s"),
        at_most("AlexNet's fully connected layers, density off by", off, 0.001, "1"),
        at_most("AlexNet's fully connected layers, peak memory / weights", 1 + peak / size, 2.0, "1"),
    ]


def _all(encode: Callable[..., Iterable[object]], *arguments: object) -> None:
    for _ in encode(*arguments):
        pass


def formats() -> list[Row]:
    """Levels of 8 bits to the streams that the hardware of the other formats takes, beside scipy's CSR of the same matrix."""
    rng = np.random.default_rng(0)
    levels = rng.integers(1, 128, (ROWS, COLUMNS)).astype(np.int8)
    rows = []
    for name, parameters in DEFAULTS.items():
        if name == "viterbi" or parameters.view or not importlib.util.find_spec(f"unprune.encode.{name}"):
            continue
        encoder: Any = importlib.import_module(f"unprune.encode.{name}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of densities that the format does not follow
            mask = encoder.choose(rng.standard_normal(levels.shape), DENSITY, parameters)
        pruned = np.where(mask.kept, levels, np.int8(0))
        encode = partial(_all, encoder.encode, pruned, mask, parameters)
        once, csr = seconds(time.thread_time, encode, partial(scipy.sparse.csr_matrix, pruned))
        rows += [
            at_least(f"{name} ({parameters.name})", levels.size / once / 1e6, None, "Mweight/s"),
            at_least(f"{name} / scipy csr_matrix of the same", csr / once, None),
        ]
    return rows


def differences() -> Row:
    """How many of many random small cases get other bits than golden's."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(CASES):
        k, q, outputs = int(rng.integers(1, 7)), int(rng.integers(1, 10)), int(rng.integers(0, 6))
        p = int(rng.choice([1, 1, 1, 2, 3])) if k < 6 else 1
        taps = tuple(int(tap) for tap in rng.integers(1, 1 << k + p, q * max(outputs, 1)))
        threshold, steps = int(rng.integers(1, 1 << max(outputs, 1))), int(rng.integers(1, 20))
        parameters = ViterbiParameters(k=k, p=p, q=q, comparator=outputs or None, threshold=threshold, taps=taps, block_steps=steps)
        limit = int(rng.choice([1, 2, 127, 10**6]))
        gains = rng.integers(-limit, limit + 1, int(rng.integers(0, 150)))
        wrong += golden.search(gains.tolist(), parameters) != viterbi.search(gains, parameters).tolist()
    return at_most(f"cases of {CASES} that differ from golden", wrong, 0, "cases")


def main(page: Annotated[Path | None, typer.Option("--write", help="page whose table to write")] = None) -> None:
    """Measure, print, write."""
    rows = [*speeds(8, 5, 1.0, 1e4), *speeds(5, 4, 2.0, None), *alexnet(), *formats(), differences()]
    table = [["what", "value", "unit", "goal", "met"]]
    for row in rows:
        goal = "" if row["bar"] is None else f"{row['bar']:g}"
        table.append([row["name"], f"{row['value']:g}", row["unit"], goal, {None: "", True: "yes", False: "no"}[row["met"]]])
    show({"speed": table}, page)
    versions = {"python": platform.python_version()} | {name: version(name) for name in ("numpy", "numba", "scipy")}
    Path("out").mkdir(exist_ok=True)
    write_json(Path("out/bench.json"), {"versions": versions, "rows": rows})


if __name__ == "__main__":
    typer.run(main)
