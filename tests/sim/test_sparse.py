"""The sparse view keeps the contract whatever decoder it is of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from golden.catalog import CATALOG, FORMATS
from golden.params.base import Parameters
from golden.params.sparse import SparseParameters
from sim.run import simulate

QUICK = ("csr", "nm")
LANES = 4


def narrow() -> list[Parameters]:
    """Of each format with weights a decoder of few lanes."""
    made: list[Parameters] = []
    for name, kind in FORMATS.items():
        try:
            made.append(kind.weights(LANES, **{"group": 2} if name == "group" else {}))  # so that there are partial beats
        except ValueError:
            continue
    return made


@pytest.mark.parametrize(
    "of", [pytest.param(p, id=p.format, marks=() if p.format in QUICK else pytest.mark.slow) for p in narrow()]
)
def test_keeps_the_contract_of_any_format(of: Parameters, tmp_path: Path) -> None:
    simulate(SparseParameters(of=of), "bench_sparse", folder=tmp_path)


def test_no_format_with_weights_is_left_out() -> None:
    weights = {p.format for p in CATALOG.values() if p.output.name == "weight"} - {"lookup"}  # which gives what it is asked for
    assert {p.format for p in narrow()} == weights


def test_finds_partial_beats_that_are_counted_as_whole_ones(caught: Callable[[str, str, str, str], bool]) -> None:
    assert caught("sparse_csr_tiny", "next_base + ", "next_base + 6'h02 | 6'h00 & ", "matrices_under_stalls")
