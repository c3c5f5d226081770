"""Networks in the released layout of Deep Compression: read, decoded by golden and by hardware, and refused where they are damaged."""

import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import codebook as golden_codebook
from golden import relative as golden_relative
from golden.params.base import Parameters
from golden.params.codebook import CodebookParameters
from golden.params.relative import RelativeParameters
from sim.run import simulate
from unprune import streams
from unprune.deep_compression import ALEXNET, SQUEEZENET, Compressed, Layer, read_deep_compression
from unprune.encode.base import Tile
from unprune.models import ModelError

NETWORK = (Layer("conv1", (20, 3, 5, 5), 8), Layer("empty", (2, 3), 4), Layer("fc2", (300, 250), 4))
GAPS = {bits: RelativeParameters(value_bits=bits, pairs_per_word=4, lanes=8) for bits in (4, 8)}
CODES = CodebookParameters(code_bits=8, value_bits=32, lanes=8)


def network(seed: int = 1) -> dict[str, np.ndarray]:
    """The codes of each layer of :data:`NETWORK`, flat, about one in twelve not 0: there are gaps that need bridging."""
    generator = np.random.default_rng(seed)
    return {
        layer.name: np.where(generator.random(layer.weights) < 0.08, generator.integers(1, 1 << layer.code_bits, layer.weights), 0)
        * (layer.name != "empty")
        for layer in NETWORK
    }


def table_of(layer: Layer) -> np.ndarray:
    """A codebook, its entry 0 being 0."""
    return np.arange(1 << layer.code_bits, dtype=np.float32) / 64


def nibbles(numbers: Sequence[int]) -> bytes:
    """Two numbers a byte, the even one low."""
    padded = [*numbers, 0]
    return bytes(padded[i] | padded[i + 1] << 4 for i in range(0, len(numbers), 2))


def write(path: Path, codes: dict[str, np.ndarray]) -> bytes:
    """Write the file that holds *codes*, number by number, as the layout says; give its bytes."""
    heads, bodies = b"", b""
    for layer in NETWORK:
        pairs: list[tuple[int, int]] = []
        gap = 0
        for code in codes[layer.name].tolist():
            if code or gap == 15:
                pairs.append((gap, code))
                gap = 0
            else:
                gap += 1
        stored = [code for _, code in pairs]
        heads += struct.pack("<I", len(pairs))
        bodies += table_of(layer).tobytes() + np.ones(layer.shape[0], "<f4").tobytes()
        bodies += (nibbles(stored) if layer.code_bits == 4 else bytes(stored)) + nibbles([gap for gap, _ in pairs])
    path.write_bytes(heads + bodies)
    return heads + bodies


def test_layers_come_back_as_they_were_written(tmp_path: Path) -> None:
    codes = network()
    write(tmp_path / "net", codes)
    for found, layer in zip(read_deep_compression(tmp_path / "net", NETWORK), NETWORK, strict=True):
        assert found.layer == layer
        assert np.array_equal(found.dense_codes, codes[layer.name])
        assert np.array_equal(found.weights, table_of(layer)[codes[layer.name]].reshape(layer.shape))
        assert found.bias.tolist() == [1] * layer.shape[0]
        assert bool(len(found.gaps)) == (layer.name != "empty")


def test_golden_decodes_its_tiles_to_the_weights(tmp_path: Path) -> None:
    write(tmp_path / "net", network())
    for found in read_deep_compression(tmp_path / "net", NETWORK):
        codes, values = [], []
        for tile in found.tiles(GAPS[found.layer.code_bits]):
            decoded = golden_relative.decode(streams.shares(tile), GAPS[found.layer.code_bits])
            assert decoded.error == 0
            codes += decoded.elements
        for tile in found.codebook_tiles(CODES):
            looked_up = golden_codebook.decode(streams.shares(tile), CODES)
            assert looked_up.error == 0
            values += looked_up.elements
        assert codes == found.dense_codes.tolist()
        assert np.array_equal(np.array(values, np.uint32).view(np.float32), found.weights.ravel())


def played(tiles: Sequence[Tile], parameters: Parameters, folder: Path) -> np.ndarray:
    """What the simulated Verilog gives for *tiles*, one after the other."""
    (folder / "streams").mkdir(parents=True)
    for number, tile in enumerate(tiles):
        streams.write_tile(folder / "streams", number, tile, parameters)
    simulate(parameters, "bench_stream", folder=folder, environment={"UNPRUNE_STREAMS": str(folder / "streams")})
    given: list[Any] = []
    for number in range(len(tiles)):
        one = streams.read_played(folder / "streams", number)
        assert int(one.user[-1]) == 0
        given.append(streams.unpack(parameters.output, one.data, one.keep))
    return np.concatenate(given)


@pytest.mark.slow
def test_the_hardware_decodes_a_file_to_its_weights(tmp_path: Path) -> None:
    """Gaps and codes through the relative-index decoder, and what that gives through the codebook look-up."""
    write(tmp_path / "net", network())
    layers = read_deep_compression(tmp_path / "net", NETWORK)
    for bits in (4, 8):
        some = [found for found in layers if found.layer.code_bits == bits]
        codes = played([tile for found in some for tile in found.tiles(GAPS[bits])], GAPS[bits], tmp_path / f"codes{bits}")
        assert np.array_equal(codes, np.concatenate([found.dense_codes for found in some]))
        values = played([tile for found in some for tile in found.codebook_tiles(CODES)], CODES, tmp_path / f"values{bits}")
        assert np.array_equal(values.astype(np.uint32).view(np.float32), np.concatenate([found.weights.ravel() for found in some]))


def error(path: Path) -> str:
    with pytest.raises(ModelError) as failure:
        read_deep_compression(path, NETWORK)
    assert "\n" not in str(failure.value)
    return str(failure.value)


def test_a_file_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net"
    data = write(path, network())
    for length in (0, 1, 11, 12, 13, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        assert "cut short" in error(path)
    path.write_bytes(data + b"\0")
    sizes = f"must have {len(data)} bytes for these layers, has {len(data) + 1}"
    assert error(path) == f"{path}: {sizes}: it goes on after the last layer, or the layers are others"


def test_absurd_numbers_of_pairs_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net"
    data = write(path, network())
    path.write_bytes(struct.pack("<I", 0xFFFFFFFF) + data[4:])
    assert error(path) == (
        f"{path}: layer 'conv1' has 4294967295 pairs for 1500 weights; the file is damaged or the layers are others"
    )


def test_pairs_past_the_end_and_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net"
    data = bytearray(write(path, network()))
    last = data[-1]
    data[-30:] = b"\xff" * 30
    path.write_bytes(data)
    assert re.search(r"layer 'fc2' has pairs up to weight \d+ of 75000; the file is damaged$", error(path))
    data[-30:] = bytes(29) + bytes([last])
    data[12:16] = struct.pack("<f", float("nan"))
    path.write_bytes(data)
    assert error(path) == f"{path}: layer 'conv1' has a codebook of which 1 of 256 numbers are NaN or infinite"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert error(tmp_path) == f"{tmp_path}: is not a regular file; give a file of a network released by Deep Compression"
    assert error(tmp_path / "none") == f"{tmp_path / 'none'}: No such file or directory; give a file that can be read"


@settings(max_examples=200)
@given(data=st.data())
def test_a_flipped_byte_gives_an_error_or_other_weights(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped"
    good = write(path, network())
    at = data.draw(st.integers(0, len(good) - 1))
    path.write_bytes(good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :])
    try:
        found: list[Compressed] = read_deep_compression(path, NETWORK)
    except ModelError:
        found = []
    assert [one.weights.shape for one in found] == [layer.shape for layer in NETWORK][: len(found)]


def test_the_released_networks_have_as_many_weights_as_published() -> None:
    assert sum(layer.weights for layer in SQUEEZENET) == 1_244_448
    assert sum(layer.weights for layer in ALEXNET) == 60_954_656


@pytest.mark.parametrize(
    ("change", "message"),
    [({"code_bits": 5}, "code_bits must be 4 or 8, was 5"), ({"shape": (3, 0)}, "shape must be one or more numbers above 0, was (3, 0)")],
)
def test_a_layer_that_the_layout_cannot_hold_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Layer(**{"name": "one", "shape": (1, 2), **change})


def test_decoders_that_do_not_fit_a_layer_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "net", network())
    found = read_deep_compression(tmp_path / "net", NETWORK)[0]
    with pytest.raises(ValueError, match=r"^value_bits must be 8, was 4$"):
        list(found.tiles(GAPS[4]))
    with pytest.raises(ValueError, match=r"^gap_bits must be 4, was 5$"):
        list(found.tiles(RelativeParameters(gap_bits=5)))
    with pytest.raises(ValueError, match=r"^value_bits must be 32, was 16$"):
        list(found.codebook_tiles(CodebookParameters(code_bits=8)))
    with pytest.raises(ValueError, match=r"^code_bits must be at least 8, was 4$"):
        list(found.codebook_tiles(CodebookParameters(value_bits=32)))
