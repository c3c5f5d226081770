"""The emitted Verilog: clean, readable, the same everywhere, and understood by every tool."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from golden.catalog import CATALOG
from golden.params.base import Parameters
from golden.params.viterbi import ViterbiParameters
from golden.params.viterbi_weight import ViterbiWeightParameters
from hdl import yowasp
from hdl.cache import scratch
from hdl.emit import describe, emit, verilog
from sim import tools

SLOW = ("bitmap_n128", "planes_k8q16_n4_skid")  # long to emit
entries = pytest.mark.parametrize(
    "parameters", [pytest.param(p, id=name, marks=[pytest.mark.slow] if name in SLOW else []) for name, p in CATALOG.items()]
)


# What the catalogue has no set of: lanes that need fewer bits of a count than any count has.
ONE_LANE = ViterbiWeightParameters(name="viterbi_weight_one_lane", k=1, q=1, taps=(0b11,), value_bits=1, values=1, count_bits=4)


@pytest.mark.parametrize("parameters", [*entries.args[1], pytest.param(ONE_LANE, id=ONE_LANE.name)])
def test_verilator_lints_it_without_a_warning(parameters: Parameters, tmp_path: Path) -> None:
    source = emit(parameters, tmp_path)
    command = ["verilator", "--lint-only", "-Wall", "--quiet", source.name]
    done = subprocess.run(command, cwd=tmp_path, env=tools.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@entries
def test_yosys_elaborates_it_with_no_problem_and_no_latch(parameters: Parameters) -> None:
    with scratch() as folder:
        source = emit(parameters, Path(folder))
        steps = [f"read_verilog -sv {source.name}", f"hierarchy -check -top {parameters.name}", "proc", "check -assert"]
        yowasp.run("yosys", ["-q", "-p", "; ".join([*steps, "select -assert-none t:$*latch*"])], Path(folder))


@entries
def test_icarus_elaborates_it(parameters: Parameters, tmp_path: Path) -> None:
    if not tools.icarus_available():
        pytest.skip("Icarus is not installed")
    source = emit(parameters, tmp_path)
    done = subprocess.run(["iverilog", "-g2012", "-o", "/dev/null", str(source)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@entries
def test_parts_are_named_and_nothing_is_of_a_vendor(parameters: Parameters) -> None:
    modules = re.findall(r"^module (\S+)\(", verilog(parameters), flags=re.MULTILINE)
    assert modules[0] == parameters.name
    assert all(module.startswith(f"{parameters.name}_") for module in modules[1:])
    instances = re.findall(r"^  (\S+) \w+ \(\n", verilog(parameters), flags=re.MULTILINE)
    assert set(instances) <= set(modules)
    assert "\\$" not in verilog(parameters)


@entries
def test_description_tells_ports_and_digest(parameters: Parameters) -> None:
    text = describe(parameters)
    assert json.loads(json.dumps(text)) == text
    for port in text["ports"]:
        for signal in port["signals"]:
            assert re.search(rf"\b{signal}\b", verilog(parameters))
    assert text["digest"] == parameters.digest


def test_another_process_with_another_hash_seed_emits_the_same_bytes(tmp_path: Path) -> None:
    parameters = next(iter(CATALOG.values()))
    script = "import sys; from golden.catalog import CATALOG; from hdl.emit import verilog; print(verilog(CATALOG[sys.argv[1]]), end='')"
    environment = tools.environment() | {"PYTHONHASHSEED": "1234", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script, parameters.name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == verilog(parameters)


def test_equal_parameters_under_another_name_give_a_module_of_that_name() -> None:
    parameters = next(iter(CATALOG.values()))
    other = type(parameters).from_dict(parameters.to_dict() | {"name": "another_one"})
    assert other == parameters
    assert verilog(other).splitlines()[6:] != verilog(parameters).splitlines()[6:]
    assert "module another_one(" in verilog(other)


@pytest.mark.parametrize(
    "values",
    [
        {"k": 2, "q": 4, "comparator": 1, "taps": (0b101, 0b101, 0b100, 0b111)},  # two outputs are equal
        {"k": 8, "q": 1, "taps": (0b10,)},  # most of the window is not read
        {"k": 2, "p": 2, "q": 1, "taps": (0b1,)},  # nor is one of the new bits
    ],
)
def test_taps_that_leave_something_unread_give_clean_verilog(values: dict[str, Any], tmp_path: Path) -> None:
    test_verilator_lints_it_without_a_warning(ViterbiParameters(**values), tmp_path)
