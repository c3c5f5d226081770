"""The bit-plane code: a mask bit per weight, and the survivors' values from a fixed number of input bits a step and a few patches.

Sources: Kwon et al., CVPR 2020, and Park et al., ICLR 2022 (see golden.params.planes). The order of bits, the blocks, the tie rule, the
patch stream and what a decoder makes of malformed streams are ours; docs/planes.md states them.
"""

from collections.abc import Iterable, Mapping, Sequence

from golden.bits import Element, bits_to_words, flatten, words_to_bits
from golden.decoded import Decoded
from golden.params.base import Error
from golden.params.planes import PlanesParameters

Flip = tuple[int, int]  # a weight of the matrix and a plane


def step_outputs(window: int, parameters: PlanesParameters) -> int:
    """The *q* output bits for a window of k + p bits, output j as bit j."""
    return sum(((window & tap).bit_count() & 1) << j for j, tap in enumerate(parameters.taps))


def expand(inputs: Sequence[int], count: int, parameters: PlanesParameters) -> list[int]:
    """The first *count* output bits for *inputs*, before patches; the window restarts with every block."""
    k, p, q = parameters.k, parameters.p, parameters.q
    outputs: list[int] = []
    for step in range(-(-count // q)):
        if step % parameters.block_steps == 0:
            window = 0
        for bit in inputs[step * p : (step + 1) * p]:
            window = (window << 1 | bit) % (1 << k + p)
        word = step_outputs(window, parameters)
        outputs += [word >> j & 1 for j in range(q)]
    return outputs[:count]


def search_block(wanted: Sequence[int | None], parameters: PlanesParameters) -> list[int]:
    """The inputs of one block whose outputs differ least from *wanted*, where None is a don't-care bit.

    The Viterbi algorithm over all ``2**k`` states and all ``2**p`` branches of each; a state is the last k bits, the first state is 0.
    Of equal paths into a state the one with the lowest window survives (so the lowest predecessor); of equal last states the lowest.
    """
    k, p, q = parameters.k, parameters.p, parameters.q
    words = [step_outputs(window, parameters) for window in range(1 << k + p)]
    metrics: dict[int, int] = {0: 0}  # of the states reached, ascending
    decisions: list[dict[int, int]] = []
    for start in range(0, len(wanted), q):
        step = wanted[start : start + q]
        care = sum(1 << j for j, bit in enumerate(step) if bit is not None)
        value = sum(1 << j for j, bit in enumerate(step) if bit)
        best: dict[int, int] = {}
        origin: dict[int, int] = {}
        for state, metric in metrics.items():
            for window in range(state << p, state + 1 << p):
                differ = metric + ((words[window] ^ value) & care).bit_count()
                target = window % (1 << k)
                if target not in best or differ < best[target]:
                    best[target], origin[target] = differ, window
        metrics = dict(sorted(best.items()))
        decisions.append(origin)
    state = min(metrics, key=metrics.__getitem__)
    steps: list[list[int]] = []
    for origin in reversed(decisions):
        window = origin[state]
        steps.append([window >> i & 1 for i in reversed(range(p))])  # the first of a step's bits is the highest of the new ones
        state = window >> p
    return [bit for step in reversed(steps) for bit in step]


def patches_of(flips: Iterable[Flip], parameters: PlanesParameters) -> list[int]:
    """The patch stream that makes *flips*, which are ascending.

    A patch flips one bit, and says how many beats further on the next patch is; the first is in beat 0. One whose lane is none
    (all ones) flips nothing.
    """
    p = parameters
    none, furthest = (1 << p.lane_bits) - 1, (1 << p.gap_bits) - 1
    patches: list[int] = []
    beat = 0  # of the last patch
    for weight, plane in flips:
        further = weight // p.lanes - beat
        if not patches and further:
            patches.append(none)
        while further:
            gap = min(further, furthest)
            patches[-1] |= gap << p.lane_bits + p.plane_bits
            further -= gap
            patches += [none] if further else []
        beat = weight // p.lanes
        patches.append(weight % p.lanes | plane << p.lane_bits)
    return patches


def flips_of(patches: Sequence[Element | None], beats: int, parameters: PlanesParameters) -> tuple[list[Flip], bool]:
    """What the share *patches* flips in a matrix of so many *beats*, at least one, and whether it goes on after the last of them.

    The last beat of the share ends it, with a patch in it or without (``None``); the gap of a patch in it is not looked at.
    """
    p = parameters
    flips: list[Flip] = []
    place, gap = 0, 0
    for beat in range(beats):
        while not gap and place < len(patches):
            patch = patches[place]
            place += 1
            if isinstance(patch, int):
                lane, plane = patch % (1 << p.lane_bits), (patch >> p.lane_bits) % (1 << p.plane_bits)
                gap = patch >> p.lane_bits + p.plane_bits if place < len(patches) else 0
                flips += [(beat * p.lanes + lane, plane)] if lane < p.lanes and plane < p.value_bits else []
        gap = max(gap - 1, 0)
    return flips, place < len(patches)


def encode(
    matrix: Sequence[Sequence[int]], parameters: PlanesParameters, mask: Sequence[int] | None = None
) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns.

    Args:
        mask: One bit per weight, row-major; without it every level but 0 survives. What a pruned weight's level is does not matter.

    Raises:
        ValueError: there are more weights than ``count_bits`` can count, or a level needs more than ``value_bits``.
        TypeError: a level is not an integer.
    """
    p = parameters
    flat = flatten(matrix, p.count_bits, p.value_bits)
    kept = [int(level != 0) for level in flat] if mask is None else mask
    planes, flips = [], []
    for plane in range(p.value_bits):
        wanted = [level >> plane & 1 if one else None for level, one in zip(flat, kept, strict=True)]
        inputs = [bit for start in range(0, len(flat), p.block) for bit in search_block(wanted[start : start + p.block], p)]
        given = expand(inputs, len(flat), p)
        flips += [(weight, plane) for weight, bit in enumerate(wanted) if bit not in (None, given[weight])]
        planes.append(inputs)
    steps = range(0, -(-len(flat) // p.q) * p.p, p.p)
    bits = [bit for start in steps for inputs in planes for bit in inputs[start : start + p.p]]
    patches = patches_of(sorted(flips), p)
    return {"shape": [len(flat)], "mask": [*bits_to_words(kept, p.lanes)], "word": [*bits_to_words(bits, p.word_bits)], "patch": [*patches]}


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: PlanesParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    Beats without data are skipped where they are not the last of their stream; mask bits past the last weight are not looked at. Error
    codes: 1 (SHORT) an output beat has no mask or no word: it and all after it are zeros; 2 (LONG) the matrix is complete and there is
    more in a stream. A patch of a pruned weight, of a lane past the last weight, or of no lane or plane that is, flips nothing.
    """
    p, (count,) = parameters, shares["shape"]
    assert isinstance(count, int)
    beats = -(-count // p.lanes)
    masks, words = ([word for word in shares[name] if isinstance(word, int)] for name in ("mask", "word"))
    complete = min(len(masks), len(words), beats)
    mask = words_to_bits(masks[:complete], p.lanes)[:count]
    bits = words_to_bits(words[:complete], p.word_bits)
    levels = [0] * len(mask)
    for plane in range(p.value_bits):
        inputs = [bit for start in range(plane * p.p, len(bits), p.value_bits * p.p) for bit in bits[start : start + p.p]]
        levels = [level | bit << plane for level, bit in zip(levels, expand(inputs, len(mask), p), strict=True)]
    flips, more = flips_of(shares["patch"], max(beats, 1), p)
    for weight, plane in flips:
        if weight < len(mask):
            levels[weight] ^= 1 << plane
    weights: list[Element] = [level if one else 0 for level, one in zip(levels, mask, strict=True)]
    more |= any(goes_on(shares[name], beats) for name in ("mask", "word"))
    error = Error.SHORT if complete < beats else Error.LONG if more else Error.NONE
    return Decoded([*weights, *[0] * (count - len(weights))], error)


def goes_on(share: Sequence[Element | None], beats: int) -> bool:
    """Whether *share* goes on after the beat that completes a matrix of so many *beats*; where it has none, whether it has one."""
    places = [place for place, word in enumerate(share, 1) if word is not None]
    return len(places) >= max(beats, 1) and (not beats or places[beats - 1] < len(share))
