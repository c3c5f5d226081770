"""Figures of circuits whose cost is known, the errors of broken ones, and the memory of answers."""

import json
from pathlib import Path

import pytest

from hdl import yowasp
from synth import cache
from synth.figures import Figures
from synth.flow import synthesise
from synth.targets import FLIP_FLOP_GATES, TARGETS

REGISTER = "module dut(input aclk, input [7:0] d, output reg [7:0] q); always_ff @(posedge aclk) q <= d; endmodule"
AND4 = "module dut(input [3:0] a, output y); assign y = &a; endmodule"
ADDER = "module dut(input [7:0] a, b, output [7:0] y); assign y = a + b; endmodule"
XOR16 = "module dut(input [15:0] a, output y); assign y = ^a; endmodule"
PRODUCT = "module dut(input [5:0] a, b, output [11:0] y); assign y = a * b; endmodule"
DELAY = "module dut(input aclk, input d, output q); reg [31:0] s; always_ff @(posedge aclk) s <= {s[30:0], d}; assign q = s[31]; endmodule"
ENABLE = "module dut(input aclk, e, d, output reg q); always_ff @(posedge aclk) if (e) q <= d; endmodule"
LOOP = "module dut(input s, r, output q); wire p; assign p = ~(s & q); assign q = ~(p & r); endmodule"
LATCH = "module dut(input g, d, output reg q); always_latch if (g) q = d; endmodule"
MEMORY = """module dut(input aclk, we, input [8:0] w, r, input [15:0] d, output reg [15:0] q);
  reg [15:0] m [511:0];
  always_ff @(posedge aclk) begin if (we) m[w] <= d; q <= m[r]; end
endmodule"""
SMALL_MEMORY = """module dut(input aclk, we, input [3:0] w, r, input [7:0] d, output [7:0] q);
  reg [7:0] m [15:0];
  always_ff @(posedge aclk) if (we) m[w] <= d;
  assign q = m[r];
endmodule"""


def figures(target: str, cells: dict[str, int], depth: int | None, **counts: float) -> Figures:
    """Figures that are 0 (``gates``: None but on that target) where nothing else is said."""
    zero = {"lut": 0, "ff": 0, "carry": 0, "ram": 0, "gates": 0.0 if target == "gates" else None}
    return Figures.from_dict({"target": target, **zero, **counts, "depth": depth, "cells": cells})


@pytest.mark.parametrize(
    ("verilog", "expected"),
    [
        pytest.param(REGISTER, figures("ice40", {"SB_DFF": 8}, 0, ff=8), id="register-ice40"),
        pytest.param(REGISTER, figures("ecp5", {"TRELLIS_FF": 8}, 0, ff=8), id="register-ecp5"),
        pytest.param(REGISTER, figures("xc7", {"FDRE": 8}, 0, ff=8), id="register-xc7"),
        pytest.param(REGISTER, figures("gates", {"$_DFF_P_": 8}, 0, ff=8), id="register-gates"),
        pytest.param(AND4, figures("ice40", {"SB_LUT4": 1}, 1, lut=1), id="and4-ice40"),
        pytest.param(AND4, figures("ecp5", {"LUT4": 1}, 1, lut=1), id="and4-ecp5"),
        pytest.param(AND4, figures("gates", {"$_NAND_": 2, "$_NOR_": 1}, 2, gates=3.0), id="and4-gates"),
        # the sum bit of each position is a LUT fed by the chain; the top position needs no carry of its own
        pytest.param(ADDER, figures("ice40", {"SB_CARRY": 7, "SB_LUT4": 8}, 1, lut=8, carry=7), id="adder-ice40"),
        pytest.param(ADDER, figures("ecp5", {"CCU2C": 4}, 1, lut=8, carry=4), id="adder-ecp5"),
        pytest.param(ADDER, figures("xc7", {"CARRY4": 2, "LUT2": 8}, 1, lut=8, carry=2), id="adder-xc7"),
        pytest.param(XOR16, figures("ice40", {"SB_LUT4": 5}, 2, lut=5), id="xor16-ice40"),
        pytest.param(XOR16, figures("gates", {"$_XNOR_": 10, "$_XOR_": 5}, 4, gates=30.0), id="xor16-gates"),
        pytest.param(DELAY, figures("ice40", {"SB_DFF": 32}, 0, ff=32), id="delay-ice40"),
        pytest.param(DELAY, figures("xc7", {"SRLC32E": 1}, 0, lut=1), id="delay-xc7"),
        # an enable is a multiplexer in front of a plain flip-flop
        pytest.param(ENABLE, figures("gates", {"$_DFF_P_": 1, "$_MUX_": 1}, 1, ff=1, gates=2.3), id="enable-gates"),
        pytest.param(MEMORY, figures("xc7", {"RAMB18E1": 1}, 0, ram=1), id="memory-xc7"),
        pytest.param(SMALL_MEMORY, figures("ecp5", {"TRELLIS_DPR16X4": 2}, 0, lut=8, ram=2), id="small-memory-ecp5"),
        pytest.param(SMALL_MEMORY, figures("xc7", {"RAM32M": 2}, 0, lut=8, ram=2), id="small-memory-xc7"),
        pytest.param(LOOP, figures("gates", {"$_NAND_": 2}, None, gates=2.0), id="loop-gates"),
    ],
)
def test_known_circuit_costs_what_it_must(verilog: str, expected: Figures) -> None:
    assert synthesise(verilog, "dut", expected.target, fresh=True) == expected


@pytest.mark.parametrize(("target", "rams"), [("ice40", 2), ("ecp5", 1)])
def test_block_memory_shows_as_ram(target: str, rams: int) -> None:
    assert synthesise(MEMORY, "dut", target, fresh=True).ram == rams


@pytest.mark.parametrize("target", TARGETS)
def test_a_product_is_built_from_logic_and_the_same_each_time(target: str) -> None:
    first = synthesise(PRODUCT, "dut", target, fresh=True)
    assert not [cell for cell in first.cells if "DSP" in cell or "MULT" in cell]
    assert max(first.lut, first.gates or 0) > 30
    assert synthesise(PRODUCT, "dut", target, fresh=True) == first


def test_cells_are_those_of_the_tools_own_statistics(tmp_path: Path) -> None:
    (tmp_path / "design.sv").write_text(PRODUCT)
    script = "read_verilog -sv design.sv; synth_ecp5 -noiopad -nodsp -top dut; tee -q -o stat.json stat -json"
    yowasp.run("yosys", ["-q", "-p", script], tmp_path)
    stat = json.loads((tmp_path / "stat.json").read_text())
    assert synthesise(PRODUCT, "dut", "ecp5", fresh=True).cells == stat["design"]["num_cells_by_type"]


def test_flip_flops_add_to_gates_by_the_stated_weight() -> None:
    found = synthesise(ENABLE, "dut", "gates")
    assert found.gates_with_flip_flops == pytest.approx(14 / 6 + FLIP_FLOP_GATES, abs=0.05)
    assert synthesise(ENABLE, "dut", "ice40").gates_with_flip_flops is None


@pytest.mark.parametrize("target", TARGETS)
def test_broken_verilog_is_one_line_with_the_tools_own_error(target: str) -> None:
    broken = "module dut(input a, output y);\n  assign y = a &;\nendmodule"
    with pytest.raises(yowasp.ToolError, match=r"^yosys stopped with exit code 1: design\.sv:2: ERROR: syntax error, unexpected ';'$"):
        synthesise(broken, "dut", target)


def test_missing_top_is_the_tools_error() -> None:
    with pytest.raises(yowasp.ToolError, match=r"^yosys stopped with exit code 1: ERROR: Module `other' not found!$"):
        synthesise(AND4, "other", "ice40")


def test_cell_without_a_rule_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^a cell of xc7 must be one of LUT\[1-6\], .*, was 'LDCE'$"):
        synthesise(LATCH, "dut", "xc7")


def test_unknown_target_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^target must be one of ice40, ecp5, xc7, gates, was 'asic'$"):
        synthesise(AND4, "dut", "asic")


def test_answers_are_remembered_until_the_text_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "answers")
    first = synthesise(AND4, "dut", "gates")
    calls = []
    run = yowasp.run

    def counted(*arguments: object) -> str:
        calls.append(arguments)
        return run(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(yowasp, "run", counted)
    assert synthesise(AND4, "dut", "gates") == first
    assert not calls
    synthesise(AND4, "dut", "gates", fresh=True)
    assert len(calls) == 1
    assert synthesise(AND4.replace("&a", "|a"), "dut", "gates") != first
    assert len(calls) == 2
    for answer in (tmp_path / "answers").iterdir():
        answer.write_text(answer.read_text()[:9])  # damaged
    assert synthesise(AND4, "dut", "gates") == first
    assert len(calls) == 3


def test_rows_have_the_common_form() -> None:
    rows = synthesise(ADDER, "dut", "xc7").to_rows("adder")
    assert {"name": "adder xc7 carry", "value": 2, "unit": "cells", "bar": None, "met": None} in rows
    assert {row["name"] for row in synthesise(ADDER, "dut", "gates").to_rows("adder")} == {
        f"adder gates {name}" for name in ("ff", "depth", "gates", "gates_with_flip_flops")
    }
