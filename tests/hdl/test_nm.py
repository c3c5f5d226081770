"""The N:M decoder against golden in Amaranth's own simulator: parameters past the catalogue, random matrices good and malformed."""

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from golden import nm
from golden.bits import Element
from golden.params.nm import NmParameters
from hdl.emit import emit
from sim import tools

Shares = dict[str, list[Element | None]]

SETS = [
    NmParameters(n=1, m=2, value_bits=1, groups=1, count_bits=3),
    NmParameters(n=2, m=2, value_bits=3, groups=2, count_bits=5),
    NmParameters(n=4, m=4, value_bits=4, groups=3, count_bits=6),
    NmParameters(n=1, m=16, value_bits=2, groups=2, count_bits=7),
    NmParameters(n=3, m=4, value_bits=9, groups=5, count_bits=7),
    NmParameters(n=7, m=8, value_bits=2, groups=1, count_bits=6),
    NmParameters(n=2, m=4, value_bits=8, groups=4, count_bits=6),
]
sets = pytest.mark.parametrize("parameters", SETS, ids=lambda p: p.name)


def good_matrix(parameters: NmParameters, generator: random.Random, count: int) -> Shares:
    """A matrix of *count* random levels, about as sparse as the format can hold."""
    p = parameters
    flat = [0] * count
    for start in range(0, count, p.m):
        group = range(start, min(start + p.m, count))
        for position in generator.sample(group, min(p.n, len(group))):
            flat[position] = generator.getrandbits(p.value_bits)
    return nm.encode([flat], p)


def some_count(parameters: NmParameters, generator: random.Random) -> int:
    """A count at the edges of groups and beats, or any."""
    p = parameters
    return generator.choice([0, 1, p.m, p.lanes, p.lanes + 1, generator.randrange(1 << p.count_bits)])


@sets
@pytest.mark.parametrize("stall", [0, 0.5])
def test_random_matrices_good_and_malformed_give_what_golden_says(
    parameters: NmParameters, stall: float, gives_what_golden_says: Any, spoil: Any
) -> None:
    generator = random.Random(f"{parameters.name} {stall}")
    matrices = [spoil(parameters, good_matrix(parameters, generator, some_count(parameters, generator)), generator) for _ in range(150)]
    assert {nm.decode(shares, parameters).error for shares in matrices} >= ({0, 1, 2, 3} if parameters.n > 1 else {0, 1, 2})
    gives_what_golden_says(parameters, matrices, stall)


def test_each_of_all_nibbles_gives_what_golden_says(gives_what_golden_says: Any) -> None:
    parameters = NmParameters(groups=1, count_bits=4)
    matrices: list[Shares] = [{"shape": [count], "index": [nibble], "value": [5, 7]} for nibble in range(16) for count in (1, 2, 3, 4)]
    gives_what_golden_says(parameters, matrices, 0)
    assert [nibble for nibble in range(16) if not nm.decode(matrices[4 * nibble], parameters).error] == [0x4, 0x8, 0x9, 0xC, 0xD, 0xE]


@sets
def test_verilator_lints_it_without_a_warning(parameters: NmParameters, tmp_path: Path) -> None:
    source = emit(parameters, tmp_path)
    command = ["verilator", "--lint-only", "-Wall", "--quiet", source.name]
    done = subprocess.run(command, cwd=tmp_path, env=tools.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
