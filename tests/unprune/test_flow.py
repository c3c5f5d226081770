"""The main job end to end: what went in comes out of the simulated Verilog, and what is written is whole or not there."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.catalog import CATALOG
from golden.decoded import Decoded
from golden.params.nm import NmParameters
from hdl.files import read_json
from sim import tools
from unprune import flow, roundtrip, settings
from unprune.encode import viterbi as encoder
from unprune.network import accuracy, load_digits
from unprune.outcome import Result

SMALL = CATALOG["viterbi_k3q4"]  # matrices of up to 255 weights, and the fastest to build and synthesise


def network(path: Path, **layers: Any) -> Path:
    np.savez(path, **layers)
    return path


def weights(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("demo") / "out"
    return flow.demo(folder, settings.designs(settings.DEMO, None), command="unprune demo -o out"), folder


def test_the_demo_gives_every_weight_back_in_every_format(shown: tuple[Result, Path]) -> None:
    result, _ = shown
    assert [one.parameters.format for one in result.outcomes][:3] == ["viterbi", "csr", "rlc"]
    for one in result.outcomes:
        assert (one.weights, one.differing_weights, one.differing_beats) == (50_200, 0, 0)
        assert one.beats > 0
        wanted = one.parameters.n / one.parameters.m if isinstance(one.parameters, NmParameters) else 0.1  # N:M has the density that it has
        assert one.density == pytest.approx(wanted, abs=0.002)


@pytest.mark.slow
def test_the_demo_of_all_formats_gives_every_weight_back(tmp_path: Path) -> None:
    result = flow.demo(tmp_path / "out", settings.designs(None, None))
    assert [one.parameters for one in result.outcomes] == list(settings.designs(None, None))
    assert all((one.weights, one.differing_weights, one.differing_beats) == (50_200, 0, 0) for one in result.outcomes)


def test_the_demo_networks_are_as_accurate_as_the_one_pruned_by_magnitude_within_two_points(shown: tuple[Result, Path]) -> None:
    result, folder = shown
    digits = load_digits()
    assert result.references["dense"] > 0.95
    for one in result.outcomes:
        assert one.accuracy is not None
        assert one.accuracy > result.references["pruned by magnitude"] - 0.02
        with np.load(folder / one.parameters.name / "rebuilt.npz") as stored:
            assert accuracy(dict(stored), digits.test_images, digits.test_labels) == one.accuracy


def test_the_demo_writes_decoders_streams_figures_and_a_page(shown: tuple[Result, Path]) -> None:
    result, folder = shown
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [".unprune", "index.html", "results.json", *(one.parameters.name for one in result.outcomes)]
    )
    for one in result.outcomes:
        name = one.parameters.name
        place = folder / name
        assert {path.name for path in place.iterdir()} == {f"{name}.json", f"{name}.sv", "rebuilt.npz", "streams", "synthesis.json"}
        tiles = read_json(place / "streams" / "tiles.json")["tiles"]
        played = sorted(path.name for path in (place / "streams").glob("*.npz"))
        assert played == sorted(f"{number:04}{end}" for number in range(len(tiles)) for end in (".npz", ".out.npz"))
        assert set(read_json(place / "synthesis.json")) == {"tools", "ice40", "ecp5", "xc7", "gates", "clock"}
        assert (place / f"{name}.sv").read_text().count(f"module {name}(") == 1
    rows = read_json(folder / "results.json")["rows"]
    assert all(row["met"] for row in rows if row["bar"] is not None)
    assert str(folder) not in (folder / "index.html").read_text()


def test_cost_and_floor_are_those_of_the_layers_together(shown: tuple[Result, Path]) -> None:
    for one in shown[0].outcomes:
        assert one.bits_per_weight == pytest.approx(sum(layer.index_bits + layer.value_bits for layer in one.layers) / 50_200)
        entropy = -one.density * math.log2(one.density) - (1 - one.density) * math.log2(1 - one.density)
        assert entropy - 0.01 < one.mask_floor <= entropy + 1e-9  # layers of densities of their own have less
        assert one.bits_per_survivor == pytest.approx(one.bits_per_weight / one.density)
        assert one.weights_per_second == pytest.approx(one.weights / one.cycles * one.cost.clock.median_mhz * 1e6)  # type: ignore[union-attr]


def test_layers_may_be_skipped_or_have_a_density_of_their_own(tmp_path: Path) -> None:
    layers = {"a": weights(10, 20), "b": weights(9, 7, 1), "c": weights(5, 5, 2)}
    model = network(tmp_path / "m.npz", **layers, bias=np.zeros(3))
    result = flow.run(model, tmp_path / "out", [SMALL], density=0.5, layers={"b": None, "c": 0.4})
    (one,) = result.outcomes
    assert [layer.name for layer in one.layers] == ["a", "c"]
    assert (result.skipped, set(result.left_out)) == (("b",), {"bias"})
    assert np.array_equal(one.rebuilt["b"], layers["b"])
    survivors = one.rebuilt["a"] != 0
    scale = np.abs(one.rebuilt["a"]).max() / 127
    assert np.abs(one.rebuilt["a"] - layers["a"])[survivors].max() <= scale * 0.501


@pytest.mark.parametrize(
    "matrix", [weights(1, 100), weights(100, 1), np.zeros((9, 9), np.float32), np.ones((9, 9), np.float32), weights(1, 1)],
    ids=["one row", "one column", "all zero", "no zero", "one weight"],
)
def test_degenerate_layers_come_through(tmp_path: Path, matrix: np.ndarray) -> None:
    outcome = roundtrip.round_trip({"w": matrix}, {"w": 0.5}, SMALL, tmp_path)
    assert outcome.good
    assert outcome.rebuilt["w"].shape == matrix.shape
    assert outcome.weights == matrix.size


def test_a_layer_that_a_decoder_cannot_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^layer wide does not fit csr_dense_tiny: columns must be .*; skip it \(--layer wide=skip\)"):
        roundtrip.round_trip({"wide": weights(2, 200)}, {"wide": 0.1}, CATALOG["csr_dense_tiny"], tmp_path, bits=3)


def test_a_layer_may_have_any_name(tmp_path: Path) -> None:
    layers = {"file": weights(3, 4), "<b>/../[red]": weights(2, 2)}
    roundtrip.round_trip(layers, {"file": 0.5}, SMALL, tmp_path)
    with np.load(tmp_path / "rebuilt.npz") as stored:
        assert set(stored) == set(layers)


def test_a_decoder_that_differs_is_told_and_leaves_the_earlier_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(tmp_path / "m.npz", a=weights(10, 20))
    flow.run(model, tmp_path / "out", [SMALL], density=0.5)
    earlier = (tmp_path / "out" / "results.json").read_bytes()
    golden = roundtrip.importlib.import_module("golden.viterbi")
    right = golden.decode

    def wrong(shares: Any, parameters: Any) -> Decoded:
        decoded = right(shares, parameters)
        return dataclasses.replace(decoded, elements=[decoded.elements[0] ^ 1, *decoded.elements[1:]])

    monkeypatch.setattr(golden, "decode", wrong)
    with pytest.raises(flow.DecoderDiffersError, match=r"^viterbi_k3q4: 1 of 50 beats differ from golden and \d+ of 200 weights"):
        flow.run(model, tmp_path / "out", [SMALL], density=0.5)
    assert (tmp_path / "out" / "results.json").read_bytes() == earlier
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.npz", "out"]


def test_a_weight_that_comes_back_with_another_level_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = encoder.rebuild
    monkeypatch.setattr(encoder, "rebuild", lambda *given: np.where(right(*given) > 0, 1, right(*given)))
    outcome = roundtrip.round_trip({"w": weights(10, 20)}, {"w": 0.5}, SMALL, tmp_path)
    assert outcome.differing_beats == 0
    assert 20 < outcome.differing_weights < 100


def test_progress_tells_every_step_to_its_end(tmp_path: Path) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    def tell(step: str, done: int, total: int) -> None:
        told.setdefault(step, []).append((done, total))

    layers = {"a": weights(10, 20), "b": weights(12, 20)}
    roundtrip.round_trip(layers, dict.fromkeys(layers, 0.5), SMALL, tmp_path, progress=tell)
    assert list(told) == ["choose", "encode", "simulate", "check"]
    ends = {step: how[-1] for step, how in told.items()}
    assert ends == {"choose": (440, 440), "encode": (440, 440), "simulate": (2, 2), "check": (440, 440)}
    assert all(how == sorted(how) for how in told.values())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"density": 1.5}, r"^density must be between 0 and 1, was 1\.5$"),
        ({"layers": {"z": 0.1}}, r"^a layer must be one of a, was 'z'$"),
        ({"layers": {"a": None}}, r"^the layers to skip must be fewer than all, was 1$"),
        ({"bits": 40}, r"^bits must be between 2 and 16, was 40$"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    model = network(tmp_path / "m.npz", a=weights(4, 5))
    with pytest.raises(ValueError, match=message):
        flow.run(model, tmp_path / "out", [SMALL], **given)
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]


def test_a_missing_compiler_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda command: None if command == "c++" else f"/usr/bin/{command}")
    with pytest.raises(tools.ToolMissing, match=r"^a C\+\+ compiler \(the command c\+\+\) is missing: install it .*apt-get install g\+\+"):
        flow.run(tmp_path / "not even read.npz", tmp_path / "out", [SMALL])
