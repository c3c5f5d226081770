"""Every decoder's ports: which of them a port can change before the next clock edge, for every input at every step of a random run."""

import random

import pytest
from amaranth.sim import Simulator

from golden.catalog import CATALOG
from golden.params.base import Parameters
from hdl.axis import AxiDecoder

CYCLES = 1000


def driven(dut, parameters):
    """The signals of the input ports by name, but for their readies."""
    return {
        f"{port.name} {name}": getattr(dut, f"s_axis_{port.name}_{name}")
        for port in (parameters.shape, *parameters.inputs)
        for name in ("tdata", "tvalid", *(("tkeep", "tlast") if port.framed else ()))
    }


def small_shape(port, generator):
    """A random beat of the shape port with small numbers, so that matrices come to an end."""
    value = start = 0
    for field in port.fields:
        value |= generator.randrange(min(8, 1 << field.bits)) << start
        start += 8 * field.bytes
    return value


def wide(parameters: Parameters) -> bool:
    """Whether simulating it signal by signal takes long."""
    return sum(port.beat_bytes for port in (*parameters.inputs, parameters.output)) > 12


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if wide(p) else ()) for n, p in CATALOG.items()])
def test_only_the_output_ready_reaches_another_port_within_a_cycle(name):
    parameters = CATALOG[name]
    dut = AxiDecoder(parameters)
    inputs = driven(dut, parameters)
    readies = [getattr(dut, f"s_axis_{port.name}_tready") for port in (parameters.shape, *parameters.inputs)]
    output = [getattr(dut, f"m_axis_{parameters.output.name}_{name}") for name in ("tdata", "tvalid", "tkeep", "tlast", "tuser")]
    ready = getattr(dut, f"m_axis_{parameters.output.name}_tready")
    generator = random.Random(name)
    given = 0

    async def bench(ctx):
        nonlocal given
        for cycle in range(CYCLES):
            ctx.set(dut.aresetn, cycle > 1)
            before = [ctx.get(signal) for signal in (*readies, *output)]
            for what, signal in inputs.items():
                shape = what == "shape tdata"
                ctx.set(signal, small_shape(parameters.shape, generator) if shape else generator.getrandbits(len(signal)))
                assert [ctx.get(signal) for signal in (*readies, *output)] == before, what
            ctx.set(ready, generator.getrandbits(1))
            assert [ctx.get(signal) for signal in output] == before[len(readies) :]
            if parameters.skid:
                assert [ctx.get(signal) for signal in readies] == before[: len(readies)], "the skid buffer must cut the path"
            given += ctx.get(output[1])
            ctx.set(dut.aclk, 1)
            await ctx.delay(1e-9)
            ctx.set(dut.aclk, 0)
            await ctx.delay(1e-9)

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    assert given > CYCLES / 20, "the decoder must have given something"
