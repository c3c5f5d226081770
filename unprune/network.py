"""A multilayer perceptron in numpy, and the trained one that ships: 64-300-100-10 on 8 x 8 handwritten digits.

A network is a mapping of names to arrays, in the order in which the layers are applied: ``NAME.weight`` of shape (outputs, inputs) and
``NAME.bias`` of shape (outputs,). ReLU stands between the layers and not after the last one. To see what a changed matrix does to the
network, put it in: ``accuracy(digits.layers | {"fc1.weight": rebuilt}, digits.test_images, digits.test_labels)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hdl.files import read_npz

Layers: TypeAlias = Mapping[str, NDArray[Any]]
Floats: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.uint8]

PIXEL_MAX = 16  # a pixel counts the dots that are set in a 4 x 4 block of the scanned digit


@dataclass(frozen=True)
class Digits:
    """The network that ships and its data.

    Attributes:
        layers: ``fc1.weight`` (300, 64), ``fc1.bias``, ``fc2.weight`` (100, 300), ``fc2.bias``, ``fc3.weight`` (10, 100), ``fc3.bias``.
        train_images: (1297, 64), one image a row, pixels 0 to 1 in sixteenths.
        train_labels: (1297,), the digits 0 to 9.
        test_images: (500, 64), 50 images of each digit, never used in training or to choose anything.
        test_labels: (500,).
    """

    layers: dict[str, Floats]
    train_images: Floats
    train_labels: Labels
    test_images: Floats
    test_labels: Labels


def layer_names(layers: Layers) -> list[str]:
    """The layers in the order in which they are applied, without the ``.weight``."""
    return [name.removesuffix(".weight") for name in layers if name.endswith(".weight")]


def forward(layers: Layers, images: NDArray[Any]) -> Floats:
    """The last layer's outputs (images, classes) for *images* (images, inputs); the largest of a row is the class.

    Raises:
        ValueError: *layers* has no layer, a layer lacks its bias, or a shape does not fit what comes before it.
    """
    return activations(layers, images)[-1]


def activations(layers: Layers, images: NDArray[Any]) -> list[Floats]:
    """What goes into each layer, after ReLU, and last what :func:`forward` gives; same errors."""
    names = layer_names(layers)
    if not names:
        raise ValueError("a network must have an array named NAME.weight, had none")
    given = [np.asarray(images, np.float32)]
    for name in names:
        weight, bias = layers[f"{name}.weight"], layers.get(f"{name}.bias")
        inputs = given[-1].shape
        if len(inputs) != 2 or weight.shape[1:] != inputs[1:]:
            raise ValueError(f"{name}.weight must be (outputs, inputs) for inputs {inputs}, was {weight.shape}")
        if bias is None or bias.shape != weight.shape[:1]:
            raise ValueError(f"{name}.bias must be {weight.shape[:1]}, was {'missing' if bias is None else bias.shape}")
        output = np.asarray(given[-1] @ weight.T + bias, np.float32)
        given.append(output if name == names[-1] else np.maximum(output, 0))
    return given


def accuracy(layers: Layers, images: NDArray[Any], labels: NDArray[Any]) -> float:
    """The share of *images* whose largest output is their label, 0 to 1; errors as :func:`forward`, and no image is a ``ValueError``."""
    if not len(labels) or len(labels) != len(images):
        raise ValueError(f"images and labels must be as many and not none, were {len(images)} and {len(labels)}")
    return float(np.mean(np.argmax(forward(layers, images), axis=1) == labels))


def load_digits() -> Digits:
    """The network that ships, as ``python -m unprune.train`` left it; weights are float16 in the file and float32 here."""
    with resources.as_file(resources.files("unprune").joinpath("digits", "digits.npz")) as path:
        stored = read_npz(path)
    layers = {name: value.astype(np.float32) for name, value in stored.items() if name.endswith((".weight", ".bias"))}
    images = {part: stored[f"{part}_images"].astype(np.float32) / PIXEL_MAX for part in ("train", "test")}
    return Digits(layers, images["train"], stored["train_labels"], images["test"], stored["test_labels"])
