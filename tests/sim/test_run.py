"""The runner: what passes, what fails and how it says so, with both simulators, on a module of a few lines."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim import tools
from sim.run import SimulationFailed, simulate_verilog

VERILOG = """
module adder(input logic aclk, input logic aresetn, input logic [7:0] a, output logic [7:0] b);
always_ff @(posedge aclk)
  if (!aresetn) b <= 0;
  else b <= a + 1;
endmodule
"""

BENCH = """
import os
import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Timer

async def start(dut):
    Clock(dut.aclk, 10, unit="ns").start()
    dut.aresetn.value = 0
    dut.a.value = 5
    await ClockCycles(dut.aclk, 2)
    dut.aresetn.value = 1
    await ClockCycles(dut.aclk, 2)
"""

PASS = """
@cocotb.test(timeout_time=1, timeout_unit="us")
async def adds_one(dut):
    await start(dut)
    assert dut.b.value.to_unsigned() == 6
    assert os.environ["WANTED"] == "yes"
"""

FAIL = """
@cocotb.test(timeout_time=1, timeout_unit="us")
async def adds_two(dut):
    await start(dut)
    assert dut.b.value.to_unsigned() == 7, "b must be 7\\nand is not"
"""

ENDLESS = """
@cocotb.test(timeout_time=1000, timeout_unit="sec")
async def never_ends(dut):
    open(os.environ["STARTED"], "w").write(str(os.getpid()))
    await start(dut)
    await Timer(999, "sec")
"""

_no_icarus = pytest.mark.skipif(not tools.icarus_available(), reason="Icarus is not installed")
simulators = pytest.mark.parametrize("simulator", ["verilator", pytest.param("icarus", marks=_no_icarus)])


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Write a bench module with the given tests and a Verilog file; gives the arguments of simulate_verilog."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(tests, verilog=VERILOG):
        name = f"bench_{abs(hash(tests))}"
        (tmp_path / f"{name}.py").write_text(BENCH + tests)
        (tmp_path / "adder.sv").write_text(verilog)
        return {"source": tmp_path / "adder.sv", "modules": [name], "top": "adder", "folder": tmp_path / "out"}

    return write


@simulators
def test_a_passing_bench_gives_its_tests_and_times(bench, simulator):
    simulated = simulate_verilog(**bench(PASS), simulator=simulator, environment={"WANTED": "yes"})
    (outcome,) = simulated.outcomes
    assert outcome.passed
    assert outcome.name.endswith(".adds_one")
    assert simulated.simulated_ns == outcome.simulated_ns == pytest.approx(40, abs=10)
    assert "adds_one passed" in simulated.log.read_text()


@simulators
def test_a_failing_test_is_named_with_its_message_and_the_log_in_one_line(bench, simulator, capfd):
    message = r"^adder: bench_\d+\.adds_two failed: b must be 7 \(log: /.*/out/adder\.\w+\.log\)$"
    with pytest.raises(SimulationFailed, match=message) as caught:
        simulate_verilog(**bench(PASS + FAIL), simulator=simulator, environment={"WANTED": "yes"})
    assert [outcome.passed for outcome in caught.value.outcomes] == [True, False]
    assert "Traceback" in caught.value.log.read_text()
    assert capfd.readouterr() == ("", "")


@simulators
def test_a_bench_without_tests_fails(bench, simulator):
    with pytest.raises(SimulationFailed, match=r"^adder: no test ran: .* \(log: "):
        simulate_verilog(**bench(""), simulator=simulator)


@simulators
def test_verilog_that_does_not_compile_fails_with_the_compilers_error(bench, simulator):
    with pytest.raises(SimulationFailed, match=rf"^adder: {simulator} cannot build it: .*adder\.sv:\d.*error.*\(log: .*build\.log\)$"):
        simulate_verilog(**bench(PASS, "module adder;\n  nonsense here\nendmodule\n"), simulator=simulator)


def test_the_same_verilog_is_built_once(bench, tmp_path):
    arguments = bench(PASS) | {"simulator": "icarus" if tools.icarus_available() else "verilator", "environment": {"WANTED": "yes"}}
    marked = bench(PASS, VERILOG + f"// {tmp_path}\n")  # a text that no run before has built
    assert [simulate_verilog(**arguments | marked).cached for _ in range(2)] == [False, True]


def test_coverage_and_waves_are_written_where_asked_for(bench):
    simulate_verilog(**bench(PASS), environment={"WANTED": "yes"}, coverage=True, waves=True)
    folder = bench(PASS)["folder"]
    assert "adder.sv" in (folder / "coverage.dat").read_text()
    assert "$var" in (folder / "adder.vcd").read_text()


def test_wrong_options_are_refused(bench):
    with pytest.raises(ValueError, match=r"^simulator must be one of verilator, icarus, was 'vcs'$"):
        simulate_verilog(**bench(PASS), simulator="vcs")
    with pytest.raises(ValueError, match=r"^coverage must be False with icarus, was True$"):
        simulate_verilog(**bench(PASS), simulator="icarus", coverage=True)


@simulators
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_simulator_outlives_an_interrupted_run(bench, simulator, how, tmp_path):
    arguments = {name: str(value) if isinstance(value, Path) else value for name, value in bench(ENDLESS).items()}
    script = f"""
from pathlib import Path
from sim.run import simulate_verilog
a = {arguments!r}
simulate_verilog(Path(a["source"]), a["modules"], top=a["top"], folder=Path(a["folder"]), simulator={simulator!r})
"""
    started = tmp_path / "started"
    variables = os.environ | {"STARTED": str(started), "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    process = subprocess.Popen([sys.executable, "-c", script], env=variables, stderr=subprocess.DEVNULL)
    try:
        _wait_until(lambda: started.exists() and started.read_text(), 60)
        simulation = int(started.read_text())
        assert _alive(simulation)
        process.send_signal(how)
        process.wait(timeout=10)
        _wait_until(lambda: not _alive(simulation), 10)
    finally:
        process.kill()
        process.wait()


def _alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
