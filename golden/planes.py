"""The bit-plane code: the survivors' values, bit for bit, from a fixed number of input bits a step and a few patches.

Sources: Kwon et al., CVPR 2020, and Park et al., ICLR 2022 (see golden.params.planes). The order of bits, the blocks, the tie rule and
the patch stream are ours; docs/planes.md states them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from golden.params.base import check
from golden.params.planes import PlanesParameters


@dataclass(frozen=True)
class Plane:
    """One bit plane, encoded.

    Attributes:
        inputs: Bits (0 or 1), p for every started step.
        counts: Patch entries of each block.
        gaps: The patch entries of all blocks, one after the other.
    """

    inputs: list[int]
    counts: list[int]
    gaps: list[int]


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


def gaps_of(wrong: Sequence[int], parameters: PlanesParameters) -> list[int]:
    """The patch entries of a block whose care bits number *wrong* (ascending, from 0) are to be flipped.

    An entry below the filler skips as many care bits and flips the next; the filler skips as many as its value and flips none.
    """
    gaps: list[int] = []
    after = 0
    for place in wrong:
        fillers, gap = divmod(place - after, parameters.filler)
        gaps += [parameters.filler] * fillers + [gap]
        after = place + 1
    return gaps


def places_of(gaps: Sequence[int], parameters: PlanesParameters) -> list[int]:
    """The care bits of a block that these patch entries flip: what :func:`gaps_of` was given."""
    places: list[int] = []
    after = 0
    for gap in gaps:
        after += gap
        if gap != parameters.filler:
            places.append(after)
            after += 1
    return places


def encode(values: Sequence[int], mask: Sequence[int], parameters: PlanesParameters) -> list[Plane]:
    """The planes of a matrix, bit 0 of the values first.

    Args:
        values: One a weight, row-major, unsigned patterns of ``bits`` bits; at pruned weights anything.
        mask: One bit a weight, 1 = survives.
    """
    check(len(values) == len(mask), "values and mask", "as many", (len(values), len(mask)))
    planes = []
    for b in range(parameters.bits):
        plane = Plane([], [], [])
        for start in range(0, len(values), parameters.block):
            block = range(start, min(start + parameters.block, len(values)))
            wanted = [values[i] >> b & 1 if mask[i] else None for i in block]
            inputs = search_block(wanted, parameters)
            pairs = [(bit, given) for bit, given in zip(wanted, expand(inputs, len(wanted), parameters), strict=True) if bit is not None]
            gaps = gaps_of([i for i, (bit, given) in enumerate(pairs) if bit != given], parameters)
            plane.inputs.extend(inputs)
            plane.counts.append(len(gaps))
            plane.gaps.extend(gaps)
        planes.append(plane)
    return planes


def decode(planes: Sequence[Plane], mask: Sequence[int], parameters: PlanesParameters) -> list[int]:
    """The values, one a weight, 0 where *mask* is 0.

    Raises:
        ValueError: There are not as many planes, inputs, counts or gaps as the matrix has, or a patch lies past its block's last survivor.
    """
    check(len(planes) == parameters.bits, "the number of planes", f"{parameters.bits}", len(planes))
    blocks, steps = -(-len(mask) // parameters.block), -(-len(mask) // parameters.q)
    values = [0] * len(mask)
    for b, plane in enumerate(planes):
        needed = steps * parameters.p
        check(len(plane.inputs) == needed, "the number of input bits of a plane", f"{needed}", len(plane.inputs))
        check(len(plane.counts) == blocks, "the number of counts of a plane", f"{blocks}", len(plane.counts))
        check(len(plane.gaps) == sum(plane.counts), "the number of gaps of a plane", f"{sum(plane.counts)}", len(plane.gaps))
        bits = expand(plane.inputs, len(mask), parameters)
        first = 0
        for i, count in enumerate(plane.counts):
            survivors = [j for j in range(i * parameters.block, min((i + 1) * parameters.block, len(mask))) if mask[j]]
            for place in places_of(plane.gaps[first : first + count], parameters):
                check(place < len(survivors), f"a patch of block {i}", f"at one of its {len(survivors)} survivors", place)
                bits[survivors[place]] ^= 1
            first += count
        values = [value | bit << b if kept else 0 for value, bit, kept in zip(values, bits, mask, strict=True)]
    return values
