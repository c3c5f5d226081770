"""What the experiment runs: pruning methods, their codes and schedules, and the order, the most important first."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.catalog import CATALOG
from golden.params.viterbi import ViterbiParameters
from unprune.encode import taps, viterbi
from unprune.prune import magnitude_mask

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

NETWORKS = ("LeNet-300-100", "LeNet-5", "LeNet-5, convolutions pruned")
SEEDS = (0, 1, 2)
PAPER = 0.0844  # density at which q = 5 takes the paper's 2.37 index bits per survivor
LAST_LAYER = 3  # times the density of the others, for every method: it is small, and 84 survivors are too few for its ten outputs
REPEAT = 4  # epochs, where masks are chosen anew
TRIES = 100  # of the search for taps, where the catalogue has none


@dataclass(frozen=True)
class Code:
    """A decompressor's figures; the comparator's threshold follows from the density of each layer."""

    k: int
    q: int
    c: int
    p: int = 1

    def __str__(self) -> str:
        return f"k{self.k} q{self.q} c{self.c}"


@dataclass(frozen=True)
class Method:
    """How a network's fully connected layers are pruned.

    Attributes:
        kind: ``dense``, ``magnitude``, ``random`` or ``viterbi``.
        density: Survivors per weight, of all layers but the last.
        code, gain: Of ``viterbi`` only.
        rechoose: Epochs in which the mask is chosen anew; 0: chosen once, before retraining.
    """

    kind: str
    density: float = 1.0
    code: Code | None = None
    gain: str = "linear"
    rechoose: int = 0

    def densities(self, layers: int) -> list[float]:
        """For each layer."""
        return [self.density] * (layers - 1) + [min(1.0, LAST_LAYER * self.density)]


@dataclass(frozen=True)
class Run:
    """One training: a method on a network from a seed."""

    network: str
    method: Method
    seed: int

    @property
    def key(self) -> str:
        """A digest of what was run; the schedules are kept beside the result."""
        values: dict[str, Any] = dataclasses.asdict(self)
        if self.method.code:
            known = _known(self.method.code)
            values["taps"] = known.taps if known else f"{TRIES} tries"
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def plan() -> list[Run]:
    """All runs, in the order in which they matter."""
    full, pruned = NETWORKS[:2], NETWORKS[2:]
    first = [Method("dense"), Method("magnitude", PAPER), Method("viterbi", PAPER, Code(8, 5, 3))]
    again = [Method("magnitude", PAPER, rechoose=REPEAT), Method("viterbi", PAPER, Code(8, 5, 3), rechoose=REPEAT)]
    budget = [Method("viterbi", PAPER, Code(8, q, 3), rechoose=r) for q in (10, 15) for r in (0, REPEAT)]
    gains = [Method("viterbi", PAPER, Code(8, 5, 3), "tanh"), Method("random", PAPER)]
    codes = [Method("viterbi", PAPER, code) for code in (Code(8, 5, 5), Code(12, 5, 5), Code(5, 4, 3))]
    sparse = [_sparse(0.05, (8, 4, 16), 4), _sparse(0.02, (20, 10, 40), 5)]
    main = [method for methods in sparse for method in methods[:3]]
    more = [method for methods in sparse for method in methods[3:6]]
    rates = [method for methods in sparse for method in methods[6:]]
    stages = [
        (full, first), (full, again), (full, budget[:2]), (full, gains), (pruned, [*first, gains[1]]), (NETWORKS, main),
        (full, budget[2:]), (full, codes), (NETWORKS, more), (full, rates),
    ]  # fmt: skip
    return [Run(network, method, seed) for networks, methods in stages for network in networks for method in methods for seed in SEEDS]


def _sparse(density: float, rates: Sequence[int], c: int) -> list[Method]:
    """Methods at a lower *density*: first three that are comparable, then variants, last the other *rates* than the first."""
    base, magnitude = Method("viterbi", density, Code(8, rates[0], c)), Method("magnitude", density)
    variants = [replace(base, rechoose=REPEAT), replace(magnitude, rechoose=REPEAT), replace(base, gain="tanh")]
    return [magnitude, base, Method("random", density), *variants, *(replace(base, code=Code(8, q, c)) for q in rates[1:])]


_FOUND: dict[tuple[Code, float], ViterbiParameters] = {}


def parameters(code: Code, density: float) -> ViterbiParameters:
    """The catalogue's set of that code, else one whose taps a short search finds, the same every time."""
    if known := _known(code):
        return known
    if (code, density) not in _FOUND:
        ones = (1,) * code.q * code.c
        blank = ViterbiParameters(k=code.k, p=code.p, q=code.q, comparator=code.c, threshold=_threshold(code, density), taps=ones)
        _FOUND[code, density] = taps.climb(blank, density, TRIES >> max(0, code.k - 8), 0)
    return _FOUND[code, density]


def _known(code: Code) -> ViterbiParameters | None:
    for entry in CATALOG.values():
        if isinstance(entry, ViterbiParameters) and (entry.k, entry.p, entry.q, entry.comparator) == (code.k, code.p, code.q, code.c):
            return entry
    return None


def masks(method: Method, weights: Sequence[Floats], seed: int) -> tuple[list[Mask], int]:
    """The method's masks for the layers *weights*, and the bits of their Viterbi index (0 for other methods)."""
    wanted = method.densities(len(weights))
    if method.kind == "magnitude":
        return [magnitude_mask(w, density) for w, density in zip(weights, wanted, strict=True)], 0
    if method.kind == "random":
        rng = np.random.default_rng(seed)
        return [magnitude_mask(rng.random(w.shape), density) for w, density in zip(weights, wanted, strict=True)], 0
    assert method.code
    found, bits = [], 0
    for w, density in zip(weights, wanted, strict=True):
        base = parameters(method.code, method.density)
        exact = replace(base, threshold=_threshold(method.code, density), name="")
        chosen = viterbi.choose(w, density, exact, gain=method.gain, workers=1)
        assert chosen.index is not None
        found.append(chosen.kept)
        bits += chosen.index.size
    return found, bits


def _threshold(code: Code, density: float) -> int:
    """The comparator's threshold whose natural density is nearest."""
    return min(max(1, round(density * (1 << code.c))), (1 << code.c) - 1)
