"""Finds good taps for a Viterbi decompressor: ``python -m unprune.encode.taps --k 8 --q 5 --comparator 3``.

Designed, then searched. Every tap holds the newest and the oldest bit of the window, so that the two paths into a state, and the two out
of it, differ in every output; the taps of one comparator are linearly independent, so that all its numbers occur equally often. From a
random set of that kind a hill climb changes a tap at a time, and keeps what makes the search keep more of seeded Gaussian weights.

With ``--light`` a tap is the sum of two terms, each a bit of the window or two neighbouring bits, and holds the newest bit, none twice:
steps share the sums of neighbours, and with them an output and the three bits that cut it to length fit in one 5-input LUT. That costs
kept magnitude.
"""

import itertools
import random
from collections.abc import Callable, Iterable
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.progress import track

from golden import gains
from golden.params.base import check
from golden.params.viterbi import ViterbiParameters
from unprune.encode import engine, viterbi
from unprune.prune import kept_magnitude

Taps = tuple[int, ...]
TRAINING = 1 << 18  # weights that candidates compete on
JUDGING = 1 << 21  # other weights, on which the winner's score is measured


def independent(taps: Taps) -> bool:
    """Whether no XOR of some of *taps* is 0."""
    basis: list[int] = []
    for tap in taps:
        for vector in basis:
            tap = min(tap, tap ^ vector)
        if not tap:
            return False
        basis.append(tap)
    return True


def light_taps(bits: int) -> Taps:
    """The taps of a window of *bits* bits that are the sum of two terms, each a bit or two neighbours, and hold the newest bit."""
    singles = [1 << place for place in range(bits)]
    terms = singles + [one | other for one, other in itertools.pairwise(singles)]
    return tuple(sorted({one ^ other for one, other in itertools.combinations(terms, 2) if (one ^ other) & 1}))


def draw(parameters: ViterbiParameters, rng: random.Random, light: bool = False) -> Taps:
    """Random taps by the rules above, as many as *parameters* has; ``ValueError`` when its window is too short for independent ones."""
    k, p, outputs = parameters.k, parameters.p, parameters.outputs
    if light:
        most = len(light_taps(k + p)) - 1
        check(len(parameters.taps) <= most, "q * c", f"at most {most} for light taps", len(parameters.taps))
    check(outputs <= k + p - 1, "comparator", f"at most k + p - 1 = {k + p - 1} for independent taps", outputs)
    taps: Taps = ()
    while len(taps) < len(parameters.taps):
        group = tuple(_tap(parameters, rng, light) for _ in range(outputs))
        taps += group if independent(group) and not (light and set(group) & set(taps)) else ()
    return taps


def change(taps: Taps, parameters: ViterbiParameters, rng: random.Random, light: bool = False) -> Taps:
    """*taps* with one of them drawn anew or, unless they are *light*, with one bit flipped, by the rules."""
    while True:
        place = rng.randrange(len(taps))
        flip = 1 << rng.randrange(1, max(parameters.k + parameters.p - 1, 2))
        anew = light or rng.random() < 0.3
        new = _tap(parameters, rng, light) if anew else (taps[place] ^ flip) | _ends(parameters)
        changed = (*taps[:place], new, *taps[place + 1 :])
        start = place // parameters.outputs * parameters.outputs
        if independent(changed[start : start + parameters.outputs]) and not (light and new in taps):
            return changed


def climb(
    parameters: ViterbiParameters,
    density: float,
    tries: int,
    seed: int,
    watch: Callable[[range], Iterable[int]] = iter,
    *,
    light: bool = False,
) -> ViterbiParameters:
    """*parameters* with the best taps found in *tries* searches.

    Candidates compete at one threshold of the gain, by the sum of gains kept: at equal density that is the kept magnitude.
    """
    rng = random.Random(seed)
    weights = np.random.default_rng(seed).standard_normal(TRAINING)
    best = _with(parameters, draw(parameters, rng, light))
    threshold = _threshold(weights, density, best)
    worth = np.array(gains.linear(weights.tolist(), threshold), np.int8)

    def value(candidate: ViterbiParameters) -> int:
        bits = engine.search(engine.Integers(worth), candidate, workers=1)
        return int(worth[viterbi.decompress(bits, worth.size, candidate).view(np.bool_)].sum(dtype=np.int64))

    record = value(best)
    for attempt in watch(range(tries)):
        fresh = attempt < tries // 10
        candidate = _with(parameters, draw(parameters, rng, light) if fresh else change(best.taps, parameters, rng, light))
        reached = value(candidate)
        if reached > record:
            best, record = candidate, reached
    return best


def score(parameters: ViterbiParameters, density: float, seed: int = 0) -> float:
    """Kept magnitude on seeded Gaussian weights, other ones than those of :func:`climb`."""
    weights = np.random.default_rng([seed, 1]).standard_normal((1, JUDGING)).astype(np.float32)
    return kept_magnitude(weights, viterbi.choose(weights, density, parameters).kept)


def _ends(parameters: ViterbiParameters) -> int:
    return 1 | 1 << parameters.k + parameters.p - 1


def _tap(parameters: ViterbiParameters, rng: random.Random, light: bool) -> int:
    if light:
        return rng.choice(light_taps(parameters.k + parameters.p))
    return rng.getrandbits(parameters.k + parameters.p) | _ends(parameters)


def _with(parameters: ViterbiParameters, taps: Taps) -> ViterbiParameters:
    values = parameters.to_dict() | {"taps": taps, "name": ""}
    return ViterbiParameters.from_dict(values)


def _threshold(weights: npt.NDArray[np.float64], density: float, parameters: ViterbiParameters) -> float:
    """The threshold of the linear gain at which about *density* of *weights* survives."""
    low, high = 0.0, float(np.abs(weights).max())
    most = high
    for _ in range(12):
        middle = (low + high) / 2
        index = engine.search(engine.Linear(weights, middle, 0.0, most), parameters, workers=1)
        kept = viterbi.decompress(index, weights.size, parameters).mean()
        low, high = (middle, high) if kept > density else (low, middle)
    return low


def main(
    k: Annotated[int, typer.Option(help="flip-flops")],
    q: Annotated[int, typer.Option(help="mask bits a step")],
    p: Annotated[int, typer.Option(help="compressed bits a step")] = 1,
    comparator: Annotated[int | None, typer.Option(help="XOR outputs a comparator; none: plain XOR")] = None,
    threshold: Annotated[int, typer.Option(help="of the comparator")] = 1,
    density: Annotated[float | None, typer.Option(help="survivors per weight to compete at; none: threshold / 2**comparator")] = None,
    tries: Annotated[int, typer.Option(help="sets of taps to try")] = 2000,
    seed: Annotated[int, typer.Option(help="of weights and taps")] = 0,
    light: Annotated[bool, typer.Option("--light", help="taps of two terms, each a bit or two neighbouring bits")] = False,
) -> None:
    """Print the best taps found and the magnitude they keep, relative to magnitude pruning at the same density."""
    blank = (1,) * (q * (comparator or 1))
    parameters = ViterbiParameters(k=k, p=p, q=q, comparator=comparator, threshold=threshold, taps=blank)
    aim = parameters.density if density is None else density
    found = climb(parameters, aim, tries, seed, lambda tried: track(tried, "trying taps", console=Console(stderr=True)), light=light)
    typer.echo(f"taps = ({', '.join(hex(tap) for tap in found.taps)},)")
    typer.echo(f"kept magnitude {score(found, aim):.4f} at density {aim:g}")


if __name__ == "__main__":
    typer.run(main)
