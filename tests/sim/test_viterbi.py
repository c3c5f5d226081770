"""The Viterbi decompressor beyond the catalogue."""

from dataclasses import replace
from pathlib import Path

import pytest

from golden.catalog import CATALOG
from sim.run import simulate


@pytest.mark.slow
def test_gives_256_mask_bits_a_cycle(tmp_path: Path) -> None:
    parameters = replace(CATALOG["viterbi_k8q16"], name="viterbi_k8q16_n16", steps=16)
    assert parameters.mask_bits == 256
    simulate(parameters, "bench_viterbi", folder=tmp_path)
