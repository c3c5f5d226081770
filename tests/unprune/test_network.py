"""The network that ships, and training with and without masks."""

import time

import numpy as np
import pytest

from unprune.network import accuracy, forward, layer_names, load_digits
from unprune.prune import magnitude_mask
from unprune.train import chosen_for_test, new_layers, train

SHAPES = {
    "fc1.weight": (300, 64),
    "fc1.bias": (300,),
    "fc2.weight": (100, 300),
    "fc2.bias": (100,),
    "fc3.weight": (10, 100),
    "fc3.bias": (10,),
}


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def test_the_shipped_network_has_the_documented_shapes(digits):
    assert {name: value.shape for name, value in digits.layers.items()} == SHAPES
    assert list(digits.layers) == list(SHAPES)
    assert all(value.dtype == np.float32 for value in digits.layers.values())
    assert digits.train_images.shape == (1297, 64)
    assert digits.test_images.shape == (500, 64)
    assert {len(digits.train_labels), len(digits.test_labels)} == {1297, 500}


def test_the_shipped_images_are_sixteenths_from_0_to_1(digits):
    for images in (digits.train_images, digits.test_images):
        assert images.dtype == np.float32
        assert images.min() == 0
        assert images.max() == 1
        assert np.array_equal(images * 16, np.rint(images * 16))


def test_the_test_part_has_50_of_each_digit_and_no_image_of_the_training_part(digits):
    assert np.bincount(digits.test_labels).tolist() == [50] * 10
    trained = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in trained for image in digits.test_images)


def test_the_shipped_data_are_those_of_scikit_learn(digits):
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is only in the extra that makes the file")
    data = datasets.load_digits()
    picked = chosen_for_test(data.target)
    for part, images, labels in ((picked, digits.test_images, digits.test_labels), (~picked, digits.train_images, digits.train_labels)):
        assert np.array_equal(data.data[part], images * 16)
        assert np.array_equal(data.target[part], labels)


def test_the_dense_network_classifies_490_of_500(digits):
    assert round(accuracy(digits.layers, digits.test_images, digits.test_labels) * 500) == pytest.approx(490, abs=1)  # last bits may differ


def test_retraining_a_tenth_of_the_weights_brings_the_accuracy_back_in_under_3_seconds(digits):
    masks = {f"{name}.weight": magnitude_mask(digits.layers[f"{name}.weight"], 0.1) for name in layer_names(digits.layers)}
    cut = digits.layers | {name: digits.layers[name] * mask for name, mask in masks.items()}
    start = time.process_time()
    again = train(digits.layers, digits.train_images, digits.train_labels, masks=masks)
    seconds = time.process_time() - start  # of the processor: the tests share it with others
    assert accuracy(cut, digits.test_images, digits.test_labels) < 0.6
    assert accuracy(again, digits.test_images, digits.test_labels) >= 0.965
    for name, mask in masks.items():
        assert not again[name][~mask].any()
        assert (again[name][mask] != cut[name][mask]).mean() > 0.5  # a neuron that no image wakes does not learn
    assert seconds < 3


def test_forward_is_relu_between_the_layers_and_not_after_the_last():
    layers = {
        "a.weight": np.array([[1.0, -1.0], [-1.0, 1.0]]),
        "a.bias": np.array([0.0, 0.5]),
        "b.weight": np.array([[-1.0, -2.0]]),
        "b.bias": np.array([0.25]),
    }
    assert forward(layers, np.array([[3.0, 1.0], [0.0, 2.0]])).tolist() == [[-1.75], [-4.75]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b.weight": np.ones((1, 3))}, r"^b\.weight must be \(outputs, inputs\) for inputs \(1, 2\), was \(1, 3\)$"),
        ({"a.bias": np.ones(3)}, r"^a\.bias must be \(2,\), was \(3,\)$"),
        ({"c.weight": np.ones((1, 1))}, r"^c\.bias must be \(1,\), was missing$"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_by_name(change, message):
    layers = {"a.weight": np.ones((2, 2)), "a.bias": np.ones(2), "b.weight": np.ones((1, 2)), "b.bias": np.ones(1)}
    with pytest.raises(ValueError, match=message):
        forward(layers | change, np.ones((1, 2)))


def test_a_network_without_layers_and_a_test_without_images_are_refused():
    with pytest.raises(ValueError, match=r"^a network must have an array named NAME\.weight, had none$"):
        forward({}, np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"were 0 and 0$"):
        accuracy({"a.weight": np.ones((1, 1)), "a.bias": np.ones(1)}, np.ones((0, 1)), np.ones(0))


def test_one_step_of_training_follows_the_slope_of_the_loss():
    """Adam's first step is the rate times the sign of the gradient: compare with finite differences of the loss in float64."""
    generator = np.random.default_rng(0)
    images, labels = generator.random((8, 5)), generator.integers(0, 3, 8)
    layers = new_layers((5, 4, 3), 0)

    def loss(name, place, by):
        moved = {key: value.astype(np.float64) for key, value in layers.items()}
        moved[name][place] += by
        hidden = np.maximum(images @ moved["fc1.weight"].T + moved["fc1.bias"], 0)
        outputs = hidden @ moved["fc2.weight"].T + moved["fc2.bias"]
        return np.mean(np.log(np.exp(outputs).sum(axis=1)) - outputs[np.arange(8), labels])

    stepped = train(layers, images, labels, epochs=1, batch=8, rate=1e-3)
    for name, value in layers.items():
        rises = [loss(name, place, 1e-6) - loss(name, place, -1e-6) for place in np.ndindex(value.shape)]
        slope = np.array(rises).reshape(value.shape) / 2e-6
        clear = np.abs(slope) > 1e-4
        assert clear.any()
        assert np.allclose((stepped[name] - value)[clear], -1e-3 * np.sign(slope)[clear], atol=2e-5)


def test_training_repeats_by_seed_and_leaves_its_input_alone(digits):
    start = new_layers((64, 16, 10), 3)
    before = {name: value.copy() for name, value in start.items()}
    runs = [train(start, digits.train_images, digits.train_labels, epochs=2, seed=seed) for seed in (1, 1, 2)]
    assert all(np.array_equal(runs[0][name], runs[1][name]) for name in start)
    assert not np.array_equal(runs[0]["fc1.weight"], runs[2]["fc1.weight"])
    assert all(np.array_equal(start[name], before[name]) for name in start)


@pytest.mark.parametrize(
    ("name", "was"),
    [
        ("fc1.weight", r"\(4, 64\) for \(16, 64\)"),
        ("fc9.weight", "of a matrix that is not there"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(digits, name, was):
    start, masks = new_layers((64, 16, 10), 3), {name: np.ones((4, 64), bool)}
    with pytest.raises(ValueError, match=rf"^the mask of {name} must have the shape of its matrix, was {was}$"):
        train(start, digits.train_images, digits.train_labels, masks=masks)
