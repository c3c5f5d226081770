"""The experiment's machinery, without its data: storage counted by hand, plan, tables, and training on a made-up network."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import page, tables
from benchmarks.plan import NETWORKS, PAPER, SEEDS, Code, Method, Run, masks, plan
from benchmarks.storage import Storage, entries, saving, storage
from hdl.files import read_json

HEAD = Method("viterbi", PAPER, Code(8, 5, 3))


def mask_of(*ones: int, columns: int = 100) -> np.ndarray:
    flat = np.zeros(columns, bool)
    flat[list(ones)] = True
    return flat.reshape(1, columns)


def test_a_relative_index_bridges_long_gaps_with_fillers() -> None:
    assert entries(mask_of(0, 16), 4) == 2  # 15 zeros between fit 4 bits
    assert entries(mask_of(0, 17), 4) == 3  # 16 zeros are a filler and a gap of 0
    assert entries(mask_of(99), 4) == 1 + 99 // 16
    assert entries(mask_of(99), 8) == 1
    assert entries(mask_of(), 4) == 0


def test_storage_counts_indices_and_pointers_of_all_layers() -> None:
    cost = storage([mask_of(0, 17), mask_of(5)])
    assert cost == Storage(200, 3, 48, 2 * 2 * 32, {4: 16, 5: 15, 8: 24})
    assert cost.csr == 48 + 128
    assert saving(0.2, of=0.25) == pytest.approx(0.2)


def test_the_most_important_runs_come_first_and_none_twice() -> None:
    runs = plan()
    assert len(set(runs)) == len(runs)
    first = {(run.network, run.method.kind) for run in runs[: 6 * len(SEEDS)]}
    assert first == {(network, kind) for network in NETWORKS[:2] for kind in ("dense", "magnitude", "viterbi")}
    assert {run.method.density for run in runs if run.method.kind == "viterbi"} == {0.0844, 0.05, 0.02}


def test_a_run_is_known_by_all_that_it_depends_on() -> None:
    run = Run(NETWORKS[0], HEAD, 0)
    others = [replace(run, seed=1), replace(run, network=NETWORKS[1]), replace(run, method=replace(HEAD, gain="tanh"))]
    assert len({run.key, *(other.key for other in others)}) == 4
    assert run.key == Run(NETWORKS[0], HEAD, 0).key


@pytest.mark.parametrize("method", [Method("magnitude", 0.1), Method("random", 0.1), HEAD], ids=lambda method: method.kind)
def test_every_method_meets_the_densities(method: Method) -> None:
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal((60, 500)).astype(np.float32), rng.standard_normal((10, 60)).astype(np.float32)]
    found, bits = masks(method, weights, seed=0)
    assert [mask.mean() for mask in found] == pytest.approx(method.densities(2), abs=0.02)
    assert bits == (6000 + 120 if method.code else 0)


def result(method: Method, seed: int, test: float) -> tables.Result:
    cost = Storage(100_000, 8440, 16 * 8440, 3200, {4: 40_000, 5: 43_000, 8: 67_520})
    return tables.Result(Run(NETWORKS[0], method, seed), test, test, 8440, 20_000 if method.code else 0, 0.85, cost, 1.0)


def test_tables_say_what_is_saved_what_is_lost_and_what_is_missing(tmp_path: Path) -> None:
    methods = (Method("magnitude", PAPER), HEAD, Method("random", PAPER))
    runs = [Run(NETWORKS[0], method, seed) for method in methods for seed in (0, 1)]
    done = {runs[0]: 0.98, runs[1]: 0.984, runs[2]: 0.981}
    rows = tables.rows(runs, {run: result(run.method, run.seed, test) for run, test in done.items()})
    target = tmp_path / "page.md"
    target.write_text(f"a\n<!-- headline -->\nold\n<!-- end -->\nb\n<!-- {NETWORKS[0]} -->\n<!-- end -->\n")
    tables.write(target, rows, tmp_path / "runs")
    text = target.read_text()
    assert "| LeNet-300-100 | 2.37 | -85.2 % | -85.5 % | -52.6 % | -53.5 % | -0.10 | -0.10 |" in text
    assert "old" not in text
    assert "98.20 ± 0.28 %" in text
    assert "98.10 ± 0.00 % (1 of 2)" in text
    assert "not run yet" in text
    saved = {row["name"]: row for row in read_json(tmp_path / "runs.json")["rows"]}
    assert [row["met"] for name, row in saved.items() if name.startswith("index saved")] == [False, False]  # 85.19 and 52.6, just below


def test_a_page_without_the_markers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the page must have the markers '<!-- x -->' and '<!-- end -->', has not$"):
        page.between("text", "x", "")


def test_a_result_survives_its_file() -> None:
    one = result(HEAD, 0, 0.98)
    assert tables.Result.from_dict(one.run, json.loads(json.dumps(one.to_dict()))) == one


def made_up(seed: int = 0):  # type: ignore[no-untyped-def]
    """Two clusters in 40 dimensions for a 40-30-2 network."""
    torch = pytest.importorskip("torch", reason="the experiment trains with PyTorch: pip install -e '.[torch]'")
    from benchmarks.lenet import Problem, Split

    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 600)
    inputs = (rng.standard_normal((600, 40)) + 0.8 * np.where(labels, 1, -1)[:, None]).astype(np.float32)
    splits = [Split(torch.tensor(inputs[rows]), torch.tensor(labels[rows])) for rows in (slice(400), slice(400, 500), slice(500, 600))]
    weights = ((rng.standard_normal((30, 40)) / 6).astype(np.float32), (rng.standard_normal((2, 30)) / 5).astype(np.float32))
    return Problem("made up", weights, (np.zeros(30, np.float32), np.zeros(2, np.float32)), *splits)


@pytest.mark.parametrize(
    "method", [HEAD, replace(HEAD, rechoose=2), Method("magnitude", 0.1, rechoose=1)], ids=["once", "anew", "magnitude"]
)
def test_pruned_weights_stay_zero_and_the_rest_learns(method: Method) -> None:
    problem = made_up()
    from benchmarks.lenet import Schedule, train

    calls = []

    def choose(weights):  # type: ignore[no-untyped-def]
        calls.append(1)
        return masks(method, weights, 0)[0]

    schedule = Schedule(5, 0.02, batch=50, rechoose=method.rechoose)
    trained = train(problem, schedule, 0, choose)
    assert len(calls) == method.rechoose + 1
    for w, mask in zip(trained.weights, trained.masks, strict=True):
        assert not w[~mask].any()
        assert w[mask].any()
    assert trained.test > 0.9
    again = train(problem, schedule, 0, choose)
    assert all(np.array_equal(a, b) for a, b in zip(trained.weights, again.weights, strict=True))


def test_finished_runs_are_found_again_and_unfinished_ones_not(tmp_path: Path) -> None:
    problem = made_up()
    from benchmarks import runs
    from benchmarks.lenet import Schedule

    class Made:
        def start(self, name: str, seed: int) -> object:
            return problem

    wanted = [Run("made up", method, 0) for method in (Method("dense"), Method("magnitude", 0.1), HEAD)]
    chosen = runs.Schedules(Schedule(1, 1e-3), Schedule(2, 0.02, batch=50))
    said: list[str] = []
    runs.work(wanted[:2], Made(), chosen, tmp_path, said.append)  # type: ignore[arg-type]
    found = runs.finished(wanted, tmp_path, chosen)
    assert list(found) == wanted[:2]
    assert found[wanted[1]].kept == pytest.approx(1)
    assert found[wanted[1]].survivors == 120 + 18
    assert said[0].startswith("1/2 made up, dense at 100.00%, seed 0: ")
    assert runs.finished(wanted, tmp_path, replace(chosen, dense=Schedule(2, 1e-3))) == {}


def test_absent_data_are_a_reason_to_skip_not_to_fail(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the experiment trains with PyTorch: pip install -e '.[torch]'")
    from typer.testing import CliRunner

    from benchmarks import experiment

    app = experiment.typer.Typer()
    app.command()(experiment.main)
    outcome = CliRunner().invoke(app, ["--data", str(tmp_path)])
    assert outcome.exit_code == 0
    assert f"skipped: {tmp_path} has no mnist.npz" in outcome.output
