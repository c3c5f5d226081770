"""The Viterbi weight decompressor beyond the catalogue."""

from dataclasses import replace
from typing import Any

import pytest
from amaranth.sim import Simulator

from golden.catalog import CATALOG
from golden.params.viterbi_weight import ViterbiWeightParameters
from hdl.viterbi_weight import ViterbiWeightDecompressor


@pytest.mark.parametrize("pipeline", [False, True])
def test_matrices_of_one_beat_follow_one_another_without_an_idle_cycle(pipeline: bool) -> None:
    parameters = replace(CATALOG["viterbi_weight_k3q4"], name="viterbi_weight_one_beat", pipeline=pipeline)
    assert isinstance(parameters, ViterbiWeightParameters)
    decoder = ViterbiWeightDecompressor(parameters)
    simulator = Simulator(decoder)
    simulator.add_clock(1e-6)
    valid: list[int] = []

    async def watch(context: Any) -> None:
        for stream in (decoder.shape, decoder.index, decoder.value):
            context.set(stream.valid, 1)
        context.set(decoder.shape.payload, {"data": [parameters.mask_bits]})
        context.set(decoder.index.payload, {"data": [1], "keep": 1, "last": 1})  # taps that all have bit 0: a mask of ones
        context.set(decoder.value.payload, {"data": [1] * parameters.values, "keep": (1 << parameters.values) - 1, "last": 1})
        context.set(decoder.weight.ready, 1)
        for _ in range(120):
            *_, offered, weight = await context.tick().sample(decoder.weight.valid, decoder.weight.payload)
            assert not offered or (weight.last, weight.error, list(weight.data)) == (1, 0, [1] * parameters.mask_bits)
            valid.append(offered)

    simulator.add_testbench(watch)
    simulator.run()
    begun = valid.index(1)
    assert begun <= parameters.latency + 1
    assert all(valid[begun:])
