"""LeNet-300-100 and LeNet-5 on MNIST: the published networks, their fully connected part as a problem of its own, training with masks.

The data are looked for in ``$UNPRUNE_DATA``, else in ``../shared/data`` beside the project. The published networks are the start; 5,000 of
the 60,000 training images (seed 0) are held out to choose schedules by. Inputs are pixel / 256.

Of LeNet-5 the convolutions are frozen and the fully connected part is trained on their outputs, which are computed once; that makes
it a network of 800-500-10 whose inputs are 800 features.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812

from unprune.prune import magnitude_mask

DATA = Path(os.environ.get("UNPRUNE_DATA", Path(__file__).parents[2] / "shared" / "data"))
FILES = ("mnist.npz", "lenet300100_original.npz", "lenet5_original.npz")
VALIDATION = 5000
CONVOLUTION_DENSITIES = (0.66, 0.12)  # of conv1 and conv2, as in Han et al., "Deep Compression", ICLR 2016

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Choose = Callable[[Sequence[Floats]], Sequence[Mask]]


@dataclass(frozen=True)
class Split:
    """Images as inputs (n, inputs) float32, and their labels (n,) int64."""

    inputs: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class Problem:
    """A fully connected network to start from, ReLU between layers, and what to train and to judge it on."""

    name: str
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    train: Split
    valid: Split
    test: Split


@dataclass(frozen=True)
class Schedule:
    """Adam whose rate falls in a straight line to 0.

    Attributes:
        epochs: Passes over the training images.
        rate: Step size at the start.
        batch: Images a step.
        dropout: Share of hidden units dropped.
        rechoose: Epochs before those, in which nothing is pruned yet: at the start of each the masks are chosen anew, and all weights train
            while those outside the masks are pulled towards 0. After them the masks are chosen once more and fixed. 0: chosen once.
        soft_rate: Step size in those epochs.
        pull: Share of its value that a weight outside the mask loses at every step of those epochs.
    """

    epochs: int
    rate: float
    batch: int = 512
    dropout: float = 0.05
    rechoose: int = 0
    soft_rate: float = 1e-3
    pull: float = 0.05


@dataclass(frozen=True)
class Trained:
    """What training gave: layers (pruned weights 0), the final masks, and the share of images that it gets right."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    masks: tuple[Mask, ...]
    valid: float
    test: float


def missing(data: Path) -> list[str]:
    """The files that are not in the folder *data*."""
    return [name for name in FILES if not (data / name).is_file()]


def train(problem: Problem, schedule: Schedule, seed: int, choose: Choose | None = None) -> Trained:
    """Train *problem* from where it starts; *choose* gives the masks for weights, None keeps all.

    Dense networks too pass through the ``rechoose`` epochs. The test images are used once, at the end.
    """
    torch.manual_seed(seed)
    net = _Net(problem, schedule)
    for _ in range(schedule.rechoose):
        if choose:
            net.choose(choose)
        for rows in net.batches():
            net.step(rows, schedule.soft_rate)
            net.shrink(schedule.pull)
    if choose:
        net.choose(choose)
        net.shrink(1.0)
    for epoch in range(schedule.epochs):
        rows_of_epoch = net.batches()
        for number, rows in enumerate(rows_of_epoch):
            net.step(rows, schedule.rate * (1 - (epoch + number / len(rows_of_epoch)) / schedule.epochs))
            net.shrink(1.0)
    return net.trained()


class _Net:
    """A network while it is trained."""

    def __init__(self, problem: Problem, schedule: Schedule) -> None:
        self.problem, self.schedule = problem, schedule
        self.weights = [torch.tensor(w, requires_grad=True) for w in problem.weights]
        self.biases = [torch.tensor(b, requires_grad=True) for b in problem.biases]
        self.masks: list[torch.Tensor] = []
        self.optimizer = torch.optim.Adam([*self.weights, *self.biases], fused=True)

    def batches(self) -> Sequence[torch.Tensor]:
        """The image numbers of each step of an epoch."""
        return torch.split(torch.randperm(len(self.problem.train.labels)), self.schedule.batch)

    def choose(self, choose: Choose) -> None:
        """Set the masks."""
        self.masks = [torch.tensor(mask, dtype=torch.float32) for mask in choose([w.detach().numpy() for w in self.weights])]

    def step(self, rows: torch.Tensor, rate: float) -> None:
        """Train on the images *rows*."""
        self.optimizer.param_groups[0]["lr"] = rate
        train_split = self.problem.train
        outputs = _forward(train_split.inputs[rows], self.weights, self.biases, self.schedule.dropout)
        self.optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(outputs, train_split.labels[rows]))
        self.optimizer.step()

    def shrink(self, share: float) -> None:
        """Take *share* of its value from every weight outside the masks."""
        with torch.no_grad():
            for w, mask in zip(self.weights, self.masks, strict=False):
                w.mul_(mask if share == 1 else 1 - share * (1 - mask))

    def trained(self) -> Trained:
        """The result."""
        weights, biases = [w.detach() for w in self.weights], [b.detach() for b in self.biases]
        masks = self.masks or [torch.ones_like(w) for w in weights]
        scores = (_accuracy(split, weights, biases) for split in (self.problem.valid, self.problem.test))
        return Trained(tuple(w.numpy() for w in weights), tuple(b.numpy() for b in biases), tuple(m.numpy() > 0 for m in masks), *scores)


def _mask_gradients(weights: Sequence[torch.Tensor], masks: Sequence[torch.Tensor]) -> None:
    for w, mask in zip(weights, masks, strict=True):
        if w.grad is not None:
            w.grad.mul_(mask)


def _forward(inputs: torch.Tensor, weights: Sequence[torch.Tensor], biases: Sequence[torch.Tensor], dropout: float = 0.0) -> torch.Tensor:
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        inputs = F.dropout(F.relu(F.linear(inputs, w, b)), dropout, dropout > 0)
    return F.linear(inputs, weights[-1], biases[-1])


def _accuracy(split: Split, weights: Sequence[torch.Tensor], biases: Sequence[torch.Tensor]) -> float:
    with torch.no_grad():
        return float((_forward(split.inputs, weights, biases).argmax(1) == split.labels).float().mean())


def lenet_300_100(data: Path) -> Problem:
    """784-300-100-10, 266,200 weights."""
    with np.load(data / "lenet300100_original.npz") as file:
        layers = {name: file[name] for name in file.files}
    names = ("ip1", "ip2", "ip3")
    splits = [Split(split.inputs.flatten(1), split.labels) for split in images(data)]
    return Problem("LeNet-300-100", tuple(layers[f"{n}.weight"] for n in names), tuple(layers[f"{n}.bias"] for n in names), *splits)


def lenet_5(data: Path, convolutions: dict[str, Floats] | None = None) -> Problem:
    """The fully connected part of LeNet-5, 800-500-10, 405,000 weights, behind its *convolutions*; None: the published ones."""
    layers = load_lenet_5(data)
    frozen = {name: torch.tensor(value) for name, value in (convolutions or layers).items()}
    splits = [Split(_features(split.inputs, frozen), split.labels) for split in images(data)]
    name = "LeNet-5, convolutions pruned" if convolutions else "LeNet-5"
    return Problem(name, (layers["ip1.weight"], layers["ip2.weight"]), (layers["ip1.bias"], layers["ip2.bias"]), *splits)


def prune_convolutions(data: Path, epochs: int = 2, rate: float = 5e-4) -> dict[str, Floats]:
    """LeNet-5's convolutions pruned by magnitude to ``CONVOLUTION_DENSITIES`` and retrained with the dense rest of the network, seed 0."""
    torch.manual_seed(0)
    train_split = images(data)[0]
    layers = {name: torch.tensor(value) for name, value in load_lenet_5(data).items()}
    masks = {}
    for name, density in zip(("conv1.weight", "conv2.weight"), CONVOLUTION_DENSITIES, strict=True):
        masks[name] = torch.tensor(magnitude_mask(layers[name].numpy(), density))
        layers[name] *= masks[name]
    for value in layers.values():
        value.requires_grad_()
    optimizer = torch.optim.Adam(layers.values(), lr=rate)
    total, done = epochs * -(-len(train_split.labels) // 256), 0
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(train_split.labels)), 256):
            optimizer.param_groups[0]["lr"] = rate * (1 - done / total)
            hidden = _convolve(train_split.inputs[rows], layers)
            outputs = _forward(hidden, [layers["ip1.weight"], layers["ip2.weight"]], [layers["ip1.bias"], layers["ip2.bias"]])
            optimizer.zero_grad()
            torch.autograd.backward(F.cross_entropy(outputs, train_split.labels[rows]))
            _mask_gradients([layers[name] for name in masks], list(masks.values()))
            optimizer.step()
            done += 1
    return {name: value.detach().numpy() for name, value in layers.items() if name.startswith("conv")}


def load_lenet_5(data: Path) -> dict[str, Floats]:
    """The published arrays by name."""
    with np.load(data / "lenet5_original.npz") as file:
        return {name: file[name] for name in file.files}


def images(data: Path) -> tuple[Split, Split, Split]:
    """Training (55,000), validation (5,000) and test images (10,000), each (n, 1, 28, 28)."""
    with np.load(data / "mnist.npz") as file:
        arrays = {name: file[name] for name in file.files}
    order = np.random.default_rng(0).permutation(len(arrays["y_train"]))
    held, rest = order[:VALIDATION], order[VALIDATION:]

    def split(part: str, rows: Any) -> Split:
        pixels = torch.tensor(arrays[f"x_{part}"][rows]).unsqueeze(1).float() / 256
        return Split(pixels, torch.tensor(arrays[f"y_{part}"][rows].astype(np.int64)))

    return split("train", rest), split("train", held), split("test", slice(None))


def _convolve(pixels: torch.Tensor, layers: dict[str, torch.Tensor]) -> torch.Tensor:
    hidden = F.max_pool2d(F.conv2d(pixels, layers["conv1.weight"], layers["conv1.bias"]), 2)
    return F.max_pool2d(F.conv2d(hidden, layers["conv2.weight"], layers["conv2.bias"]), 2).flatten(1)


def _features(pixels: torch.Tensor, layers: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([_convolve(some, layers) for some in torch.split(pixels, 1000)])
