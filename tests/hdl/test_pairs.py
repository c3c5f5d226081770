"""The ports of (run, level) decoders: which of them a port can change before the next clock edge, at every step of a random run."""

import random

import pytest
from amaranth.sim import Simulator

from golden.catalog import CATALOG
from hdl.axis import AxiDecoder

CYCLES = 2000


def signals(dut, parameters):
    """Inputs that are driven at random, readies of the inputs, and what the output port gives."""
    ports = (parameters.shape, *parameters.inputs)
    driven = {}
    for port in ports:
        for name in ("tdata", "tvalid", *(("tkeep", "tlast") if port.framed else ())):
            driven[f"{port.name} {name}"] = getattr(dut, f"s_axis_{port.name}_{name}")
    readies = [getattr(dut, f"s_axis_{port.name}_tready") for port in ports]
    output = [getattr(dut, f"m_axis_{parameters.output.name}_{name}") for name in ("tdata", "tvalid", "tkeep", "tlast", "tuser")]
    return driven, readies, output


@pytest.mark.parametrize("name", ["rlc_tiny", "rlc_one_pair_n8", "rlc_eyeriss_lsb_n1", "rlc_8bit_n4", "relative_tiny", "relative_g8_n1"])
def test_only_the_output_ready_reaches_another_port_within_a_cycle(name):
    parameters = CATALOG[name]
    dut = AxiDecoder(parameters)
    driven, readies, output = signals(dut, parameters)
    generator = random.Random(name)
    moved = {"readies": 0, "valid": 0}

    async def bench(ctx):
        ready = getattr(dut, f"m_axis_{parameters.output.name}_tready")
        for cycle in range(CYCLES):
            ctx.set(dut.aresetn, cycle > 1)
            before = [ctx.get(signal) for signal in (*readies, *output)]
            for what, signal in driven.items():
                ctx.set(signal, generator.getrandbits(4 if what == "shape tdata" else len(signal)))  # matrices that come to an end
                assert [ctx.get(signal) for signal in (*readies, *output)] == before, what
            given = [ctx.get(signal) for signal in output]
            ctx.set(ready, generator.getrandbits(1))
            assert [ctx.get(signal) for signal in output] == given
            changed = [ctx.get(signal) for signal in readies] != before[: len(readies)]
            assert not (changed and parameters.skid), "the skid buffer must cut the path from ready to ready"
            moved["readies"] += changed
            moved["valid"] += ctx.get(output[1])
            ctx.set(dut.aclk, 1)
            await ctx.delay(1e-9)
            ctx.set(dut.aclk, 0)
            await ctx.delay(1e-9)

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    assert moved["valid"] > CYCLES / 20, "the decoder must have given something"
    assert bool(moved["readies"]) != parameters.skid, moved
