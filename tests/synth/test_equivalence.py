"""What ships is what was proven, on every target, and a netlist that is not is caught."""

import itertools
import json
import re
from pathlib import Path

import pytest

from golden.catalog import CATALOG
from hdl import aiger
from hdl.emit import verilog
from synth import equivalence, ports

TINY = CATALOG["nm_2_4_tiny"]
QUICK = [*(("nm_2_4_tiny", what) for what in equivalence.CHECKED), ("rlc_tiny", "verilog")]
# What else was seen to hold, beside the small entries, which are in `unprune verify --full`: of the Verilog, every other entry that is
# proven without a bound, and viterbi_k5q4c3; of the rest of the catalogue it is not known, or the comparison gets to no answer
# (docs/trust.md).
SMALL_VITERBI = ("viterbi_k4p2q6c2", "viterbi_k5q4c3", "viterbi_k8q16")
PROVEN = (
    "coo_survivors", "csr_dense1", "csr_dense8", "csr_dense32", "csr_survivors", "csr_survivors_odd", "csr_survivors_wide", "nm_1_2",
    "nm_2_4", "nm_2_4_g16_skid", "nm_3_8_odd", "nm_4_8", "planes_k0q6_n2_skid", "relative_g8_n1", "rlc_eyeriss", "rlc_eyeriss_lsb_n1",
    "rlc_one_pair_n8", "rlc_unmarked_n2", *SMALL_VITERBI,
)  # fmt: skip
SHOWN = {"verilog": PROVEN, "xc7": SMALL_VITERBI}


@pytest.mark.parametrize(("name", "what"), QUICK)
def test_a_small_decoder_is_the_same_from_proof_to_netlist(name: str, what: str) -> None:
    compared = equivalence.check(CATALOG[name], what)
    assert compared.holds, compared.unproven
    assert compared.points > 8 * CATALOG[name].output.beat_bytes


@pytest.mark.slow
@pytest.mark.parametrize(("name", "what"), [(name, what) for what, names in SHOWN.items() for name in names])
def test_what_was_shown_to_be_the_same_still_is(name: str, what: str) -> None:
    compared = equivalence.check(CATALOG[name], what)
    assert compared.holds, compared.unproven


def test_verilog_that_is_not_what_was_proven_is_caught() -> None:
    broken = verilog(TINY).replace("index_last <= index__payload", "index_last <= ~index__payload")
    assert broken != verilog(TINY)
    compared = equivalence.shipped_equals_proven(TINY, broken)
    assert (compared.holds, compared.at_ports) == (False, "FAIL")


def test_from_zeros_an_inverted_register_is_the_same_and_a_wrong_one_is_not() -> None:
    inverted = verilog(TINY).replace("reg index_last;", "reg not_last; wire index_last = ~not_last;")
    inverted = inverted.replace("index_last <= ", "not_last <= ~")
    wrong = inverted.replace("not_last <= ~", "not_last <= ")
    assert len({verilog(TINY), inverted, wrong}) == 3
    read = "read_verilog -sv {}.sv; prep -top nm_2_4_tiny -flatten"
    files = {"sound.sv": verilog(TINY), "inverted.sv": inverted, "wrong.sv": wrong}
    pairs = [(gate, zeros) for gate in ("inverted", "wrong") for zeros in (False, True)]
    answers = [ports.same(TINY, files, read.format("sound"), read.format(gate), 60, zeros=zeros) for gate, zeros in pairs]
    assert answers == ["PASS", "PASS", "FAIL", "FAIL"]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["FAIL"], "FAIL"), (["PASS"], "PASS"), (["UNKNOWN", "PASS"], "ZEROS"), (["UNKNOWN", "FAIL"], "FAIL"),
        (["UNKNOWN", "UNKNOWN", "PASS"], "PASS"), ([*["UNKNOWN"] * 3, "PASS"], "ZEROS"), (["UNKNOWN"] * 4, "UNKNOWN"),
    ],
)  # fmt: skip
def test_what_is_not_found_out_is_asked_once_more_with_more_time(answers: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def same(*arguments: object, zeros: bool = False) -> str:
        asked.append((arguments[-1], zeros))
        return answers[len(asked) - 1]

    monkeypatch.setattr(ports, "same", same)
    assert ports.compare(TINY, {}, "", "") == said
    assert asked == [(seconds, zeros) for seconds in ports.PATIENCE for zeros in (False, True)][: len(answers)]


def test_of_registers_that_start_with_zero_a_reset_makes_what_its_gates_say() -> None:
    # input 1; register 2 takes its opposite, register 3 takes gate 4, which is register 2 and not the input; the output is register 3
    graph = b"aig 4 1 2 1 1\n%s\n%s\n6\n\x04\x01"
    assert aiger.after_reset(graph % (b"3", b"8")) == graph % (b"3 1", b"8 1")
    assert aiger.after_reset(graph % (b"2", b"9")) == graph % (b"2 0", b"9 1")


@pytest.mark.parametrize(("other", "same"), [("one", True), ("two", False)])
def test_registers_of_one_name_start_alike_and_others_with_anything(other: str, same: bool) -> None:
    # inputs 1 to 3: the reset, and what two registers start with; register 4 is 1 but in the first cycle; 5 and 6 keep their first values;
    # 7 is the reset of the cycle before
    registers, places = [2 * variable for variable in (4, 5, 6)], (2 * 2, 2 * 3)
    gates = aiger.Gates(8)
    kept = [gates.either(registers[0], register, start) for register, start in zip(registers[1:], places, strict=True)]
    differs = gates.either(kept[0], kept[1] ^ 1, kept[1])
    graph = aiger.Graph(3, (1, *kept, 2), (0, 0, 0, 0), (differs, 2 * 7), (0, 2), gates.all())
    names = f"input 0 0 reset\ninit 1 0 a.one\ninit 2 0 b.{other}\nninitff 8\n"
    alike = aiger.Graph.from_bytes(aiger.after_reset_alike(graph.to_bytes(), names, "a.", "b.", "reset"))
    seen = set()
    for before in itertools.product((0, 1), repeat=3):
        state = alike.initial
        for cycle in range(3):
            values = alike.values((1, 0, 0, *before), state, aiger.Gates(0))
            differ, reset = (values[literal >> 1] ^ literal & 1 for literal in alike.outputs)
            seen.add(differ)
            assert reset == (cycle > 0)
            state = tuple(values[literal >> 1] ^ literal & 1 for literal in alike.registers)
    assert seen == ({0} if same else {0, 1})


def test_a_register_that_no_reset_puts_right_is_seen_from_any_state_and_not_from_zeros() -> None:
    odd = verilog(TINY).replace("reg index_last;", "reg index_last; reg odd; always_ff @(posedge clk) odd <= odd & ~(&index__payload);")
    files = {"sound.sv": verilog(TINY), "odd.sv": odd.replace("index_last <= ", "index_last <= odd ^ ")}
    read = "read_verilog -sv {}.sv; prep -top nm_2_4_tiny -flatten"
    answers = [ports.same(TINY, files, read.format("sound"), read.format("odd"), 60, zeros=zeros) for zeros in (False, True)]
    assert answers == ["FAIL", "PASS"]


def test_a_netlist_with_one_wrong_table_is_caught() -> None:
    sound = equivalence.netlist(verilog(TINY), TINY.name, "ice40")
    table = re.search(r"parameter \\LUT_INIT 16'([01]{16})", sound)
    assert table
    wrong = "".join("10"[int(bit)] for bit in table[1])
    broken = sound[: table.start(1)] + wrong + sound[table.end(1) :]
    compared = equivalence.netlist_equals_shipped(TINY, "ice40", broken)
    assert (compared.holds, compared.at_ports) == (False, "FAIL")


def test_of_designs_without_a_signal_nothing_is_the_same() -> None:
    assert not equivalence.same_bit_by_bit("a_b", "module \\a_b\n  wire input 1 \\x\nend\n", "")


def test_the_command_exits_1_where_something_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out" / "equivalence.json"
    assert equivalence.main(["nm_2_4_tiny", "--what", "verilog", "-o", str(output)]) == 0
    (row,) = json.loads(output.read_text())["rows"]
    assert (row["name"], row["value"], row["met"]) == ("nm_2_4_tiny verilog", 0, True)
    other = equivalence.Equivalence("nm_2_4_tiny", "verilog", 10, ("tdata [0]",), "UNKNOWN", 0.1)
    monkeypatch.setattr(equivalence, "check", lambda *_: other)
    assert equivalence.main(["nm_2_4_tiny", "--what", "verilog", "-o", str(output)]) == 1
    with pytest.raises(SystemExit, match="2"):
        equivalence.main(["no_such_entry"])
