"""Train a perceptron in numpy; as a script, make the file of the network that ships.

``python -m unprune.train`` needs scikit-learn (a development extra) and writes ``unprune/digits/digits.npz``: a 64-300-100-10 network and
its images. The data are the 1797 digits of scikit-learn. Of each digit 50 are for the test, evenly spaced in the data set's order (number
``i * n // 50`` of its n), and the 1297 others for training; the same writers are therefore in both parts. Epochs and rate were chosen on
every fifth training image, held out, for the dense network and for its retraining at density 0.1; the test images chose nothing.

A run repeats bit for bit on one machine with one numpy. Elsewhere matrix products may be summed in another order, and the last bits differ:
the file in the repository is the network, the script says how it came about.
"""

import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hdl.files import write_npz
from unprune.network import PIXEL_MAX, Floats, Layers, accuracy, activations, layer_names

SIZES = (64, 300, 100, 10)
TEST_PER_DIGIT = 50
EPOCHS = 40
SEED = 1


def train(
    layers: Layers,
    images: NDArray[Any],
    labels: NDArray[Any],
    *,
    masks: Mapping[str, NDArray[np.bool_]] | None = None,
    epochs: int = EPOCHS,
    seed: int = 0,
    rate: float = 3e-3,
    batch: int = 32,
) -> dict[str, Floats]:
    """Train *layers* further by Adam on softmax cross-entropy and give the new ones; *layers* itself is left alone.

    Args:
        layers: Where to start: see :mod:`unprune.network`; :func:`new_layers` gives an untrained network.
        images: (images, inputs).
        labels: (images,), integers below the number of outputs.
        masks: For each weight matrix named here, True where a weight survives; the others are set to 0 first and stay exactly 0.
        epochs: Passes over the images; 40 over the digits take about a second.
        seed: Of the order of the images, drawn anew for each pass.
        rate: Step size at the start; it falls in a straight line to 0 at the end.
        batch: Images a step.

    Raises:
        ValueError: A mask names no weight matrix or has another shape; no images; or as :func:`unprune.network.forward`.
    """
    masks = masks or {}
    for name, mask in masks.items():
        if name not in layers or mask.shape != layers[name].shape:
            was = f"{mask.shape} for {layers[name].shape}" if name in layers else "of a matrix that is not there"
            raise ValueError(f"the mask of {name} must have the shape of its matrix, was {was}")
    if not len(images) or len(images) != len(labels):
        raise ValueError(f"images and labels must be as many and not none, were {len(images)} and {len(labels)}")
    trained = {name: np.array(value, np.float32) for name, value in layers.items()}
    for name, mask in masks.items():
        trained[name][~mask] = 0
    # One thread: the products are tiny, and threads that wait for each other on busy cores made this 20 times slower.
    with threadpool_limits(1, user_api="blas"):
        _adam(trained, np.asarray(images, np.float32), labels, masks, _batches(len(images), batch, epochs, seed), rate)
    return trained


def _batches(count: int, batch: int, epochs: int, seed: int) -> list[NDArray[np.intp]]:
    """The image numbers of every step."""
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(count) for _ in range(epochs)]
    return [order[start : start + batch] for order in orders for start in range(0, count, batch)]


def _adam(
    layers: dict[str, Floats],
    images: Floats,
    labels: NDArray[Any],
    masks: Mapping[str, NDArray[np.bool_]],
    steps: list[NDArray[np.intp]],
    rate: float,
) -> None:
    """Change *layers* in place, one step for each batch in *steps* [Kingma and Ba, ICLR 2015, with their constants]."""
    means = {name: np.zeros_like(value) for name, value in layers.items()}
    squares = {name: np.zeros_like(value) for name, value in layers.items()}
    for number, picked in enumerate(steps, 1):
        size = np.float32(rate * (1 - (number - 1) / len(steps)) * np.sqrt(1 - 0.999**number) / (1 - 0.9**number))
        for name, gradient in _gradients(layers, images[picked], labels[picked]).items():
            if name in masks:
                gradient *= masks[name]  # the moments of a pruned weight then stay 0, and so does its step
            means[name] += np.float32(0.1) * (gradient - means[name])
            squares[name] += np.float32(0.001) * (gradient * gradient - squares[name])
            layers[name] -= size * means[name] / (np.sqrt(squares[name]) + np.float32(1e-8))


def _gradients(layers: Layers, images: Floats, labels: NDArray[Any]) -> dict[str, Floats]:
    """Gradient of the batch's mean cross-entropy with respect to every weight and bias."""
    *given, outputs = activations(layers, images)
    error = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    error /= error.sum(axis=1, keepdims=True)
    error[np.arange(len(labels)), labels] -= 1
    error /= len(labels)
    gradients = {}
    for name, inputs in zip(reversed(layer_names(layers)), reversed(given), strict=True):
        gradients[f"{name}.weight"] = error.T @ inputs
        gradients[f"{name}.bias"] = error.sum(axis=0)
        error = (error @ layers[f"{name}.weight"]) * (inputs > 0)
    return gradients


def new_layers(sizes: tuple[int, ...], seed: int) -> dict[str, Floats]:
    """An untrained network ``fc1``, ``fc2``, ... with *sizes* inputs first and outputs last: He's normal weights, biases 0."""
    generator = np.random.default_rng(seed)
    layers = {}
    for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes), 1):
        layers[f"fc{number}.weight"] = (generator.standard_normal((outputs, inputs)) * np.sqrt(2 / inputs)).astype(np.float32)
        layers[f"fc{number}.bias"] = np.zeros(outputs, np.float32)
    return layers


def chosen_for_test(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """True for the images that are for the test: ``TEST_PER_DIGIT`` of each digit, evenly spaced in their order."""
    picked = np.zeros(len(labels), bool)
    for digit in range(10):
        (places,) = np.nonzero(labels == digit)
        picked[places[np.arange(TEST_PER_DIGIT) * len(places) // TEST_PER_DIGIT]] = True
    return picked


def main(path: Path) -> None:
    """Train the network that ships, print its accuracies, and write *path*."""
    from sklearn.datasets import load_digits  # only the maker of the file needs it

    data = load_digits()
    pixels, labels = data.data.astype(np.uint8), data.target.astype(np.uint8)
    in_test = chosen_for_test(labels)
    images = pixels.astype(np.float32) / PIXEL_MAX
    held_out = np.cumsum(~in_test) % 5 == 0
    fitted, checked = ~in_test & ~held_out, ~in_test & held_out
    tried = train(new_layers(SIZES, SEED), images[fitted], labels[fitted], seed=SEED)
    print(f"held-out accuracy, trained without them: {accuracy(tried, images[checked], labels[checked]):.4f} of {checked.sum()}")
    trained = train(new_layers(SIZES, SEED), images[~in_test], labels[~in_test], seed=SEED)
    stored: dict[str, NDArray[Any]] = {name: value.astype(np.float16) for name, value in trained.items()}
    print(f"test accuracy: {accuracy(stored, images[in_test], labels[in_test]):.4f} of {in_test.sum()}")
    for part, picked in (("train", ~in_test), ("test", in_test)):
        stored |= {f"{part}_images": pixels[picked], f"{part}_labels": labels[picked]}
    write_npz(path, stored)
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "digits" / "digits.npz")
