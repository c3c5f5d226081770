"""Holds the Viterbi weight decompressor to the contract, by the tests of the bitmap decoder, whose masks it makes itself."""

from typing import Any, cast

import cocotb

from golden.params.viterbi_weight import ViterbiWeightParameters
from sim.bench_bitmap import (  # noqa: F401 - the simulator runs what it finds here
    beats_without_data,
    count_survivors,
    full_rate,
    malformed_lengths,
    matrices_under_stalls,
    random_matrix,
    reset_in_flight,
    short_matrices_at_full_rate,
    values_missing_at_every_place,
)
from sim.bench_contract import golden, run_matrices
from sim.testbench import Shares, parameters


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def any_block_alone(dut: Any) -> None:
    """A block of a larger matrix decodes to its part of the weights, from its part of the index and the values of its own survivors."""
    p = cast(ViterbiWeightParameters, parameters())
    block, beats = p.block_steps * p.q, p.block_steps * p.p // p.index_bits
    whole = random_matrix(3 * block, 0.5)
    weights = golden(whole, p).elements
    for number in (2, 0, 1):
        index = whole["index"][number * beats : (number + 1) * beats]
        first = count_survivors(whole["index"][: number * beats], number * block)
        part: Shares = {"shape": [block], "index": index, "value": whole["value"][first : first + count_survivors(index, block)]}
        assert golden(part, p).elements == weights[number * block : (number + 1) * block]
        await run_matrices(dut, [part])
