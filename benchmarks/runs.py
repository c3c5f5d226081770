"""Does the runs of the experiment: dense starts, pruning, retraining, and the files in which finished work is kept."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import lenet
from benchmarks import plan as planned
from benchmarks.lenet import Floats, Mask, Problem, Schedule
from benchmarks.plan import NETWORKS, Method, Run
from benchmarks.storage import storage
from benchmarks.tables import Result
from hdl.files import DamagedFileError, read_json, read_npz, write_json, write_npz
from unprune.prune import magnitude_mask

Say = Callable[[str], None]


@dataclass(frozen=True)
class Schedules:
    """Chosen by a few tries with magnitude and Viterbi masks, judged on the validation images, seeds 0 and 1.

    Attributes:
        dense: From the published network to the dense one that is pruned; another one for every seed.
        retrain: From there with masks; the dense network too, as the line to compare with.
    """

    dense: Schedule
    retrain: Schedule

    def of(self, method: Method) -> Schedule:
        """How a network is retrained after *method*; what matters only to masks chosen anew is 0 for others."""
        return replace(self.retrain, rechoose=method.rechoose) if method.rechoose else replace(self.retrain, soft_rate=0.0, pull=0.0)

    def key(self, run: Run) -> str:
        """All settings that the result of *run* depends on beside the run's own."""
        return f"{self.dense} {self.of(run.method)}"


def schedules() -> Schedules:
    """Those of the published table."""
    return Schedules(Schedule(6, 2e-3, dropout=0.2, soft_rate=0.0, pull=0.0), Schedule(8, 8e-3))


def measure(start: Problem, run: Run, retrain: Schedule) -> Result:
    """Prune *start* as *run* says, retrain it, and give all figures of it."""
    method, began, bits = run.method, time.perf_counter(), 0
    first: list[Mask] = []

    def choose(weights: Sequence[Floats]) -> Sequence[Mask]:
        nonlocal bits
        masks, bits = planned.masks(method, weights, run.seed)
        first[:] = first or masks
        return masks

    trained = lenet.train(start, retrain, run.seed, None if method.kind == "dense" else choose)
    best = [magnitude_mask(w, density) for w, density in zip(start.weights, method.densities(len(start.weights)), strict=True)]
    chosen = first or best
    kept = sum(float(np.abs(w[mask]).sum()) for w, mask in zip(start.weights, chosen, strict=True))
    most = sum(float(np.abs(w[mask]).sum()) for w, mask in zip(start.weights, best, strict=True))
    cost = storage(trained.masks if method.kind == "magnitude" else best)
    survivors = sum(int(mask.sum()) for mask in trained.masks)
    return Result(run, trained.test, trained.valid, survivors, bits, min(1.0, kept / most), cost, time.perf_counter() - began)


class Networks:
    """Makes each network, and each seed's dense one, when it is first needed, and keeps what takes long in the folder *cache*."""

    def __init__(self, data: Path, cache: Path, dense: Schedule, say: Say) -> None:
        self._data, self._cache, self._dense, self._say = data, cache, dense, say
        self._problems: dict[str, Problem] = {}

    def start(self, name: str, seed: int) -> Problem:
        """The dense network *name* of *seed*."""

        def make() -> dict[str, Any]:
            self._say(f"training the dense {name}, seed {seed}")
            trained = lenet.train(problem, self._dense, seed)
            return {f"{kind}{i}": a for kind in ("weights", "biases") for i, a in enumerate(getattr(trained, kind))}

        problem = self._problem(name)
        arrays = self._kept(f"dense {name} {seed} {self._dense}", make)
        layers = range(len(problem.weights))
        return replace(problem, weights=tuple(arrays[f"weights{i}"] for i in layers), biases=tuple(arrays[f"biases{i}"] for i in layers))

    def _problem(self, name: str) -> Problem:
        if name not in self._problems:
            if name == NETWORKS[0]:
                self._problems[name] = lenet.lenet_300_100(self._data)
            elif name == NETWORKS[1]:
                self._problems[name] = lenet.lenet_5(self._data)
            else:
                self._problems[name] = lenet.lenet_5(self._data, self._kept("convolutions", self._convolutions))
        return self._problems[name]

    def _convolutions(self) -> dict[str, Any]:
        self._say("pruning and retraining the convolutions of LeNet-5, a few minutes")
        return lenet.prune_convolutions(self._data)

    def _kept(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What *make* gives, or gave in an earlier run."""
        path = self._cache / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
        try:
            return read_npz(path)
        except (FileNotFoundError, DamagedFileError):
            write_npz(path, make(), compress=False)
            return read_npz(path)


def finished(runs: list[Run], cache: Path, chosen: Schedules) -> dict[Run, Result]:
    """Those of *runs* whose result is in *cache*, made with the same schedules as *chosen*."""
    found = {}
    for run in runs:
        try:
            values = read_json(cache / f"{run.key}.json")
        except (FileNotFoundError, DamagedFileError):
            continue
        if values["settings"] == chosen.key(run):
            found[run] = Result.from_dict(run, values["result"])
    return found


def work(runs: list[Run], networks: Networks, chosen: Schedules, cache: Path, say: Say) -> None:
    """Do *runs* and keep each result in *cache*."""
    began = time.monotonic()
    for number, run in enumerate(runs, 1):
        result = measure(networks.start(run.network, run.seed), run, chosen.of(run.method))
        values = {"settings": chosen.key(run), "run": asdict(run), "result": result.to_dict()}
        write_json(cache / f"{run.key}.json", values)
        left = (time.monotonic() - began) / number * (len(runs) - number)
        code = f" {run.method.code} {run.method.gain}" if run.method.code else ""
        again = ", mask chosen anew" if run.method.rechoose else ""
        say(
            f"{number}/{len(runs)} {run.network}, {run.method.kind}{code} at {run.method.density:.2%}{again}, seed {run.seed}: "
            f"{result.test:.2%}, {result.seconds:.0f} s; about {left / 60:.0f} min left"
        )
