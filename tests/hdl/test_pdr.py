"""Two small designs side by side: from any state of the second, and the first in one alike by name, they differ where they can."""

import pytest

from hdl import pdr

BOTH = """
module first(input clk, input aresetn, input d, input e, output y); {first} endmodule
module second(input clk, input aresetn, input d, input e, output y); {second} endmodule
module both(input clk, input aresetn, input d, input e);
  wire one, other;
  first the_first(clk, aresetn, d, e, one);
  second the_second(clk, aresetn, d, e, other);
  reg begun = 0; always @(posedge clk) if (!aresetn) begun <= 1;
  always @* if (begun) assert(one == other);
endmodule
"""
NOTHING = "assign y = 0;"
ONE = "reg a; always @(posedge clk) a <= d; assign y = a;"


def start(first: str, second: str, how: pdr.Start) -> str:
    """What is said of the two."""
    text = BOTH.format(first=first, second=second)
    return pdr.decide({"both.v": text}, "read_verilog -sv -formal both.v\nprep -top both -flatten\n", 30, start=how)[0]


@pytest.mark.parametrize("how", ["any", "alike"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        # two registers that only later are the same
        (NOTHING, "reg r, s, bad; always @(posedge clk) begin r <= d; s <= d; if (!aresetn) bad <= r ^ s; end assign y = bad;"),
        # a register that only later is constant
        (NOTHING, "reg r, bad; always @(posedge clk) begin r <= 0; if (!aresetn) bad <= r; end assign y = bad;"),
        # one of the names of the first is that of another register
        (ONE, "reg a, b, bad; always @(posedge clk) begin b <= d; a <= (d & e) | (d & ~e); if (!aresetn) bad <= a ^ b; end"
              " assign y = b | bad;"),
        # reset does not put it right
        (NOTHING, "reg odd; always @(posedge clk) odd <= odd & (d | ~e); assign y = odd;"),
    ],
)  # fmt: skip
def test_registers_of_the_second_start_with_anything(first: str, second: str, how: pdr.Start) -> None:
    assert start(first, second, how) == "FAIL"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ONE, ONE),  # the same by name
        # the same after a reset, which has to be on in the cycle that is looked back at
        ("reg a; always @(posedge clk) a <= aresetn & (a ^ d); assign y = a;", "reg b; always @(posedge clk) b <= ~(aresetn & (~b ^ d));"
         " assign y = ~b;"),
    ],
)  # fmt: skip
def test_what_a_reset_or_a_name_makes_the_same_is(first: str, second: str) -> None:
    assert start(first, second, "alike") == "PASS"


def test_a_register_without_a_reset_is_told_apart_unless_it_has_the_name() -> None:
    holding = "reg {0}; always @(posedge clk) {0} <= {0} ^ (d & aresetn); assign y = ~{0};"
    said = [start(holding.format("a"), holding.format(name), "alike") for name in ("a", "b")]
    assert said == ["PASS", "FAIL"]
