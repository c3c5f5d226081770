"""The bitmap decoder, and so the mask expander, against golden in Amaranth's own simulator: parameters past the catalogue."""

import random
from typing import Any

import pytest

from golden import bitmap
from golden.bits import Element
from golden.catalog import CATALOG
from golden.params.bitmap import BitmapParameters
from golden.params.viterbi_weight import ViterbiWeightParameters
from hdl.expander_network import levels

Shares = dict[str, list[Element | None]]

# Rows of 1 to 64 slots (an even and an odd number of halvings), lanes that are no power of two, beats of fewer and of more values.
SETS = [
    BitmapParameters(lanes=lanes, values=values, value_bits=bits, count_bits=8)
    for lanes, values, bits in [(1, 1, 6), (2, 2, 6), (3, 2, 6), (4, 4, 7), (5, 1, 6), (8, 2, 4), (8, 8, 7), (12, 16, 6), (33, 8, 6)]
]
sets = pytest.mark.parametrize("parameters", SETS, ids=lambda p: p.name)


def good_matrix(parameters: BitmapParameters, generator: random.Random) -> Shares:
    """A random matrix, of a count at the edge of a beat or any, and of one of several densities."""
    p = parameters
    count = generator.choice([0, 1, p.lanes - 1, p.lanes, p.lanes + 1, generator.randrange(256), generator.randrange(256)])
    density = generator.choice([0, 0.1, 0.5, 0.9, 1])
    mask = [int(generator.random() < density) for _ in range(count)]
    return bitmap.encode([[generator.getrandbits(p.value_bits) for _ in range(count)]], p, mask)


@sets
@pytest.mark.parametrize("stall", [pytest.param(0, marks=pytest.mark.slow), 0.5])
def test_random_matrices_good_and_malformed_give_what_golden_says(
    parameters: BitmapParameters, stall: float, gives_what_golden_says: Any, spoil: Any
) -> None:
    generator = random.Random(f"{parameters.name} {stall}")
    matrices = [spoil(parameters, good_matrix(parameters, generator), generator) for _ in range(80)]
    assert {bitmap.decode(shares, parameters).error for shares in matrices} == {0, 1, 2}
    gives_what_golden_says(parameters, matrices, stall)


@pytest.mark.parametrize("stall", [0, 0.5])
def test_a_viterbi_mask_in_front_of_it_gives_what_golden_says(stall: float, gives_what_golden_says: Any, spoil: Any) -> None:
    parameters = CATALOG["viterbi_weight_k3q4"]
    assert isinstance(parameters, ViterbiWeightParameters)
    generator = random.Random(stall)
    matrices: list[Shares] = []
    for _ in range(150):
        count = generator.choice([0, 1, 3, 4, 5, generator.randrange(1 << parameters.count_bits)])
        index: list[Element | None] = [generator.getrandbits(1) for _ in range(-(-count // 4))]
        values: list[Element | None] = [generator.getrandbits(2) for _ in range(generator.choice([0, count // 2, count]))]
        matrices.append(spoil(parameters, {"shape": [count], "index": index, "value": values}, generator))
    gives_what_golden_says(parameters, matrices, stall)


@pytest.mark.parametrize("bits", range(1, 9))
def test_levels_go_from_the_ring_to_single_lanes_by_four_but_for_one(bits: int) -> None:
    found = levels(1 << bits)
    assert [level.parent for level in found] == [2 << bits, *(level.child for level in found[:-1])]
    assert found[-1].child == 1
    assert all(level.parent == 4 * level.child for level in found[1:])
    assert found[0].parent in (2 * found[0].child, 4 * found[0].child)
