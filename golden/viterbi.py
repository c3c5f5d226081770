"""The Viterbi format: decompression by its definition, and the exact trellis search that picks the mask.

Source: Lee et al., "Viterbi-based pruning for sparse matrix with fixed and high index compression ratio", ICLR 2018.
The order of bits in window, word and comparator, the blocks and the tie rule are ours; docs/viterbi.md states them.
"""

from collections.abc import Mapping, Sequence

from golden.bits import Element, bits_to_words, words_to_bits
from golden.decoded import Decoded
from golden.params.base import Error, check_range
from golden.params.viterbi import ViterbiParameters


def step_mask(window: int, parameters: ViterbiParameters) -> list[int]:
    """The *q* mask bits that the decompressor gives when its window holds *window* (k + p bits)."""
    xors = [(window & tap).bit_count() & 1 for tap in parameters.taps]
    if parameters.comparator is None:
        return xors
    numbers = bits_to_words(xors, parameters.comparator)
    return [int(number < parameters.threshold) for number in numbers]


def decompress(bits: Sequence[int], count: int, parameters: ViterbiParameters) -> list[int]:
    """The first *count* mask bits that the compressed *bits* (0 or 1) stand for; p bits a step, the window restarts with every block."""
    size = 1 << parameters.k + parameters.p
    mask: list[int] = []
    for step in range(-(-count // parameters.q)):
        if step % parameters.block_steps == 0:
            window = 0
        for bit in bits[step * parameters.p : (step + 1) * parameters.p]:
            window = (window << 1 | bit) % size
        mask += step_mask(window, parameters)
    return mask[:count]


def search_block(gains: Sequence[int], parameters: ViterbiParameters) -> list[int]:
    """The compressed bits of one block whose mask keeps the most: they maximise the sum of *gains* where the mask is 1.

    The Viterbi algorithm over all ``2**k`` states and all ``2**p`` branches of each; a state is the last k bits, and the
    first state is 0. Of equal paths into a state the one from the lower predecessor survives (where p > k and a
    predecessor has several: the one with the lower window); of equal last states the lowest.

    Args:
        gains: One integer per weight, positive where a survivor is wanted. The last step may be short of weights.
    """
    k, p, q = parameters.k, parameters.p, parameters.q
    states = 1 << k
    masks = [step_mask(window, parameters) for window in range(1 << k + p)]
    unreachable = -sum(abs(gain) for gain in gains) - 1
    metrics = [0] + [unreachable] * (states - 1)
    decisions: list[list[int]] = []
    for start in range(0, len(gains), q):
        step_gains = gains[start : start + q]
        best: list[int | None] = [None] * states
        origin = [0] * states
        for state in range(states):
            if metrics[state] == unreachable:
                continue
            for new_bits in range(1 << p):
                window = state << p | new_bits
                metric = metrics[state] + sum(gain for gain, kept in zip(step_gains, masks[window], strict=False) if kept)
                target = window % states
                known = best[target]
                if known is None or metric > known:
                    best[target], origin[target] = metric, window
        metrics = [unreachable if metric is None else metric for metric in best]
        decisions.append(origin)
    state = metrics.index(max(metrics))
    steps: list[list[int]] = []
    for origin in reversed(decisions):
        window = origin[state]
        steps.append([window >> i & 1 for i in reversed(range(p))])  # the first of a step's bits is the highest of the new ones
        state = window >> p
    return [bit for step in reversed(steps) for bit in step]


def search(gains: Sequence[int], parameters: ViterbiParameters) -> list[int]:
    """The compressed bits of a whole matrix, block after block; ``p`` bits for every started step."""
    block = parameters.block_steps * parameters.q
    return [bit for start in range(0, len(gains), block) for bit in search_block(gains[start : start + block], parameters)]


def pack(bits: Sequence[int], parameters: ViterbiParameters) -> list[int]:
    """Compressed bits as beats of the ``index`` stream."""
    return bits_to_words(bits, parameters.index_bits)


def encode(gains: Sequence[int], parameters: ViterbiParameters) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix whose weights have these integer *gains*, row-major.

    Raises:
        ValueError: there are more weights than ``count_bits`` can count.
    """
    check_range("the number of weights", len(gains), 0, (1 << parameters.count_bits) - 1)
    index: list[Element | None] = list(pack(search(gains, parameters), parameters))
    return {"shape": [len(gains)], "index": index}


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: ViterbiParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not: words of ``steps * q`` mask bits.

    Error codes: 1 (SHORT) the index ended early, mask bits from there on are 0; 2 (LONG) the beat that completes the matrix is not the
    last of the index, what follows is dropped. ``None`` is a beat without data.
    """
    (count,) = shares["shape"]
    assert isinstance(count, int)
    each = parameters.word_cycles * parameters.mask_bits  # mask bits that a beat of the index stands for
    needed = -(-count // each)
    beats: list[int] = []
    error = Error.NONE
    for position, beat in enumerate(shares["index"], start=1):
        if isinstance(beat, int):
            beats.append(beat)
            if len(beats) >= needed:
                error = Error.LONG if position < len(shares["index"]) or not needed else Error.NONE
                break
    if len(beats) < needed:
        error = Error.SHORT
    bits = words_to_bits(beats[:needed], parameters.index_bits)
    mask = decompress(bits, min(count, len(beats) * each), parameters)
    return Decoded(list(bits_to_words(mask + [0] * (count - len(mask)), parameters.mask_bits)), error)
