"""The bit-plane decoder against golden in Amaranth's own simulator: parameters past the catalogue."""

import random
from typing import Any

import pytest

from golden import planes
from golden.bits import Element
from golden.params.planes import PlanesParameters

Shares = dict[str, list[Element | None]]

SETS = [
    PlanesParameters(value_bits=1, k=0, p=1, q=1, block_steps=4, gap_bits=1, patches=1, count_bits=4),
    PlanesParameters(value_bits=3, k=5, p=2, q=3, block_steps=9, steps=3, gap_bits=2, patches=4, count_bits=8),
    PlanesParameters(value_bits=2, k=16, p=1, q=7, block_steps=5, gap_bits=5, patches=2, count_bits=7),
]


def any_matrix(p: PlanesParameters, generator: random.Random) -> Shares:
    """A matrix of a count at the edge of a beat or any, with random streams; patches mostly end in time."""
    most = (1 << p.count_bits) - 1
    count = min(generator.choice([0, 1, p.lanes, p.lanes + 1, generator.randrange(9 * p.lanes)]), most)
    beats = -(-count // p.lanes)
    number = generator.choice([0, 0, 1, 2, beats, 2 * beats])
    gaps = [min(generator.choice([0, 0, 1, 1, 2, 9]), (1 << p.gap_bits) - 1) for _ in range(number)]
    patches: list[Element | None] = [generator.getrandbits(p.lane_bits + p.plane_bits) | gap << p.lane_bits + p.plane_bits for gap in gaps]
    while generator.random() < 0.9 and planes.flips_of(patches, max(beats, 1), p)[1]:
        patches.pop()
    return {
        "shape": [count],
        "mask": [generator.getrandbits(p.lanes) for _ in range(beats)],
        "word": [generator.getrandbits(p.word_bits) for _ in range(beats)],
        "patch": patches,
    }


@pytest.mark.parametrize("parameters", SETS, ids=str)
@pytest.mark.parametrize("stall", [0.3, pytest.param(0, marks=pytest.mark.slow)])
def test_random_matrices_good_and_malformed_give_what_golden_says(
    parameters: PlanesParameters, stall: float, gives_what_golden_says: Any, spoil: Any
) -> None:
    generator = random.Random(f"{parameters.name} {stall}")
    matrices = [spoil(parameters, any_matrix(parameters, generator), generator) for _ in range(60)]
    assert {planes.decode(shares, parameters).error for shares in matrices} == {0, 1, 2}
    gives_what_golden_says(parameters, matrices, stall)
