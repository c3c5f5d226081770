"""The registered shell, and that clock rates mean what they say."""

from pathlib import Path

import pytest

from hdl import yowasp
from synth.clock import clock_rate, shell
from synth.flow import map_to, synthesise
from synth.netlist import ModulePort, Netlist
from synth.targets import ECP5

WIDE = """module dut(input aclk, aresetn, input [127:0] a, output reg [127:0] b, input [31:0] c, output [15:0] d);
  assign d = c[31:16] ^ c[15:0];
  always_ff @(posedge aclk) b <= aresetn ? a ^ {4{c}} : 128'd0;
endmodule"""


def through(levels: int) -> str:
    """A design with no register on the way from its input to its output: *levels* LUTs, one after the other."""
    steps = "".join(f"wire [3:0] w{i}; assign w{i} = {{w{i - 1}[2:0] & w{i - 1}[3:1], ^w{i - 1} ^ x[{i}]}};" for i in range(1, levels))
    ports = "input aclk, input [15:0] x, output y"
    return f"module dut({ports}); wire [3:0] w0; assign w0 = x[3:0]; {steps} assign y = ^w{levels - 1}; endmodule"


def test_wide_design_is_placed_and_its_path_through_the_ports_is_timed() -> None:
    rate = clock_rate(WIDE, "dut", seeds=(1,), fresh=True)
    assert list(rate.per_seed) == [1]
    assert rate.median_mhz == rate.per_seed[1] > 100
    assert "ns routing" in rate.critical_path


def test_paths_through_inputs_and_outputs_count() -> None:
    # without the shell neither design has a path between registers at all
    short, long = (clock_rate(through(levels), "dut", seeds=(1,), fresh=True) for levels in (2, 10))
    assert long.median_mhz < 0.6 * short.median_mhz
    assert long.critical_path.startswith("input_registers.")
    assert " to output_registers." in long.critical_path


def test_shell_adds_one_flip_flop_a_port_bit_and_nothing_else(tmp_path: Path) -> None:
    alone = synthesise(WIDE, "dut", "ecp5")
    ports = [ModulePort(n, i, b) for n, i, b in (
        ("aclk", True, 1), ("aresetn", True, 1), ("a", True, 128), ("b", False, 128), ("c", True, 32), ("d", False, 16),
    )]
    (tmp_path / "design.sv").write_text(WIDE)
    (tmp_path / "shell.sv").write_text(shell("dut", ports, "aclk"))
    join = "read_verilog -sv shell.sv; hierarchy -check -top unprune_shell; proc; flatten; opt_clean; delete t:$scopeinfo"
    yowasp.run("yosys", ["-q", "-p", f"{map_to(ECP5, 'dut')}; {join}; write_json both.json"], tmp_path)
    both = Netlist(tmp_path / "both.json", "unprune_shell").count()
    assert both == alone.cells | {"TRELLIS_FF": alone.ff + 1 + 128 + 32 + 128 + 16}


def test_same_seeds_give_the_same_rates_and_the_middle_one_is_reported() -> None:
    first = clock_rate(through(6), "dut", seeds=(4, 5, 6), fresh=True)
    assert clock_rate(through(6), "dut", seeds=(4, 5, 6), fresh=True) == first
    assert clock_rate(through(6), "dut", seeds=(4, 5, 6)) == first  # from memory
    assert first.median_mhz == sorted(first.per_seed.values())[1]
    assert len(set(first.per_seed.values())) > 1


@pytest.mark.parametrize(
    ("verilog", "message"),
    [
        ("module dut(input clk, output reg q); always_ff @(posedge clk) q <= !q; endmodule",
         r"^the clock of dut must be one of its inputs clk, was 'aclk'$"),
        ("module dut(input aclk, output reg q); always_ff @(posedge aclk) q <= !q; endmodule",
         r"^dut must have an input besides its clock, and an output, had 0 and 1 bits$"),
    ],
)
def test_design_that_cannot_be_timed_is_an_error(verilog: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clock_rate(verilog, "dut")


def test_no_seed_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^seeds must be at least one number, was \(\)$"):
        clock_rate(WIDE, "dut", seeds=())


def test_broken_verilog_is_the_tools_error() -> None:
    with pytest.raises(yowasp.ToolError, match="syntax error"):
        clock_rate("module dut(", "dut")
