"""A model file gives its layers or one line that says what is wrong with it."""

import io
import os
import pickle
import re
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.files import write_npz
from unprune import models
from unprune.models import ModelError, read_model


def save(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def npy_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz_bytes(array: np.ndarray, write=np.savez) -> bytes:
    file = io.BytesIO()
    write(file, w=array)
    return file.getvalue()


WRITERS = {"npy": npy_bytes, "npz": npz_bytes, "compressed": lambda array: npz_bytes(array, np.savez_compressed)}


def headed(header: str, data: bytes = b"") -> bytes:
    """An .npy file of format 1.0 with any header."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def refused(path: Path, message: str) -> None:
    """*path* gives exactly one line: the file, then *message* (a regular expression)."""
    with pytest.raises(ModelError) as caught, warnings.catch_warnings(action="error"):
        read_model(path)
    text = str(caught.value)
    assert text.isprintable()
    assert "; " in text
    assert re.fullmatch(re.escape(str(path)) + ": " + message, text), text


MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4) - 5


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", ">f8", "i1", "<i2", ">i4", "<i8", "u1"])
def test_any_real_type_is_read_as_float32(tmp_path, dtype):
    matrix = np.abs(MATRIX).astype(dtype) if dtype == "u1" else MATRIX.astype(dtype)
    model = read_model(save(tmp_path / "a.npz", w=matrix))
    assert model.layers["w"].dtype == np.float32
    assert model.layers["w"].flags.c_contiguous
    assert np.array_equal(model.layers["w"], matrix)
    assert not model.left_out


@pytest.mark.parametrize("matrix", [MATRIX[:1], MATRIX[:, :1], np.zeros((3, 4)), np.ones((3, 4)), np.ones((1, 1))])
def test_one_row_one_column_all_zero_and_no_zero_are_read(tmp_path, matrix):
    np.save(tmp_path / "layer.npy", matrix)
    layers = read_model(tmp_path / "layer.npy").layers
    assert list(layers) == ["layer"]
    assert np.array_equal(layers["layer"], matrix)
    assert layers["layer"].shape == matrix.shape


@pytest.mark.parametrize("kind", ["npy", "npz", "compressed"])
def test_column_order_and_more_than_one_chunk_are_read(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(models, "_CHUNK", 5)
    matrix = np.asfortranarray(MATRIX)
    path = tmp_path / "w"
    path.write_bytes(WRITERS[kind](matrix))
    assert np.array_equal(read_model(path).layers["w"], MATRIX)


def test_a_convolution_is_a_row_an_output(tmp_path):
    kernel = np.arange(2 * 3 * 5 * 7, dtype=np.float32).reshape(2, 3, 5, 7)
    layer = read_model(save(tmp_path / "a.npz", conv=np.asfortranarray(kernel))).layers["conv"]
    assert np.array_equal(layer, kernel.reshape(2, 105))


def test_what_is_not_a_layer_is_left_out_with_the_reason_and_order_is_kept(tmp_path):
    path = save(tmp_path / "a.npz", z=MATRIX, bias=np.ones(3), a=MATRIX, epoch=np.array(7), cube=np.ones((2, 2, 2)), note=np.array("x"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("LICENSE", "text")
    model = read_model(path)
    assert list(model.layers) == ["z", "a"]
    assert model.left_out == {
        "bias": "is 1-D, a bias or the like",
        "epoch": "is 0-D",
        "cube": "is 3-D",
        "note": "is 0-D",
        "LICENSE": "is not an array",
    }


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path):
    refused(tmp_path / "none.npz", "No such file or directory; give .*")
    refused(tmp_path, "is a folder; give a .npz or .npy file")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "is not a regular file; give .*")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty; save it with numpy\.savez.*"),
        (b"\x89HDF\r\n", r"is neither \.npz nor \.npy \(it begins with 89 48 44 46 0d 0a\); save it with .*"),
        (pickle.dumps([1]), r"is neither \.npz nor \.npy .*"),
        (b"\x93NUMPY\x04\x00", r"array 'm' is in version 4\.0 of the \.npy format, which is unknown; .*"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", r"array 'm' has a header of 4294967295 bytes, .*; .*"),
        (npy_bytes(MATRIX)[:50], r"array 'm' ends within its header, .*; .*"),
        (npy_bytes(MATRIX)[:-1], r"array 'm' \(3, 4\) needs 48 bytes and has 47, the file is cut short; .*"),
        (headed("{'descr': '<f4'"), r"array 'm' has a damaged header; .*"),
        (headed("'\\,'"), r"array 'm' has a damaged header; .*"),
        (headed("[1]"), r"array 'm' has a damaged header; .*"),
        (headed("(" * 5000), r"array 'm' has a damaged header; .*"),
        (headed("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -4)}"), r"array 'm' has a damaged header \(shape \(-1, -4\)\); .*"),
        (headed("{'descr': '<f4', 'fortran_order': False, 'shape': (0x1%s, 4)}" % ("0" * 9000)), r"array 'm' has a damaged header; .*"),
        (headed(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**63}, 4)}}"), r"array 'm' has a damaged header \(shape .*\); .*"),
        (headed("{'descr': '<q9', 'fortran_order': False, 'shape': (1, 4)}"), r"array 'm' has elements of the unknown type '<q9'; .*"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused(tmp_path, content, message):
    (tmp_path / "m.npy").write_bytes(content)
    refused(tmp_path / "m.npy", message)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones(3), "is 1-D, a bias or the like; a layer is .*"),
        (np.array(3.0), "is 0-D; a layer is .*"),
        (np.ones((2, 2, 2)), "is 3-D; a layer is .*"),
        (np.ones((0, 4)), r"of shape \(0, 4\) has no element; leave it out of the file"),
        (MATRIX.astype(complex), "has elements of type complex128, not real numbers; convert it to float32"),
        (MATRIX.astype("U3"), "has elements of type <U3, not real numbers; convert it to float32"),
        (MATRIX > 0, "has elements of type bool, not real numbers; convert it to float32"),
        (np.zeros((2, 2), "M8[s]"), r"has elements of type datetime64\[s\], not real numbers; convert it to float32"),
        (np.zeros((2, 2), [("a", "f4")]), r"has elements of type .*; convert it to float32"),
        (np.array([[1, np.nan], [np.inf, np.nan]]), "has 2 NaN, 1 infinite of 4 elements; every weight must be finite in float32, .*"),
        (np.array([[1e300, 1]]), "has 1 too large of 2 elements; every weight must be finite in float32, .*"),
    ],
)
def test_an_array_that_is_no_layer_is_refused_by_name(tmp_path, array, message):
    np.save(tmp_path / "fc1.npy", array)
    refused(tmp_path / "fc1.npy", "array 'fc1' " + message)


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("shape", [(1, 1), (1,)])
def test_a_pickled_array_is_refused_and_never_unpickled(tmp_path, shape):
    array = np.empty(shape, object)
    array.flat[0] = Bomb(tmp_path / "ran")
    save(tmp_path / "a.npz", good=MATRIX, bad=array)
    refused(tmp_path / "a.npz", "array 'bad' holds pickled Python objects, which could run code and are not read; convert it to float32")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("shape", [(10**8, 10**7), (2**40, 2**40), (10**9, 0, 10**9, 10**9)])
@pytest.mark.parametrize("packed", [False, True])
def test_a_header_that_claims_too_much_takes_no_memory(tmp_path, shape, packed):
    content = headed(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}", bytes(64))
    path = tmp_path / "w.npy"
    path.write_bytes(content)
    if packed:
        path = tmp_path / "w.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("w.npy", content)
    tracemalloc.start()
    refused(path, r"array 'w' .*(needs \d+ bytes and has 64, the file is cut short|has no element); .*")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "MAX_WEIGHTS", 2**16)
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros((2**15, 1)), b=np.zeros((2**15, 1)))
    assert len(read_model(tmp_path / "a.npz").layers) == 2
    np.savez_compressed(tmp_path / "b.npz", a=np.zeros((2**15, 1)), b=np.zeros((2**15 + 1, 1)))
    refused(tmp_path / "b.npz", r"array 'b' of shape \(32769, 1\) takes the file past 65536 weights; split it into several files")


def test_an_archive_with_less_in_it_than_it_declares_is_refused(tmp_path):
    """Both the archive and the header claim 2**20 numbers; three are there."""
    content = headed(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**20}, 1)}}", bytes(12))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", content)
        archive.infolist()[0].file_size = len(content) + 2**22
    refused(tmp_path / "a.npz", r"array 'w' .*; save or copy it again")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_packed_in_another_way_is_refused_as_it_could_ask_for_any_memory(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("w.npy", npy_bytes(MATRIX))
    refused(tmp_path / "a.npz", r"array 'w' is packed in a way that numpy does not write; save it with numpy.savez.*")


def test_an_archive_without_a_layer_says_what_it_holds(tmp_path):
    refused(save(tmp_path / "a.npz", bias=np.ones(3)), r"holds no layer \('bias' is 1-D, a bias or the like\); save it with .*")
    with zipfile.ZipFile(tmp_path / "e.npz", "w"):
        pass
    refused(tmp_path / "e.npz", r"holds no layer \(it is empty\); save it with .*")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_two_arrays_of_one_name_or_a_name_that_cannot_be_printed_is_refused(tmp_path):
    for path, second in ((tmp_path / "twice.npz", "w.npy"), (tmp_path / "odd.npz", "w\n.npy")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("w.npy", npy_bytes(MATRIX))
            archive.writestr(second, npy_bytes(MATRIX))
    refused(tmp_path / "twice.npz", "array 'w' is there twice; rename one")
    refused(tmp_path / "odd.npz", r"array 'w\\n' must have a name of printable characters; rename it")


@pytest.mark.parametrize("compress", [np.savez, np.savez_compressed])
def test_an_archive_cut_short_anywhere_is_refused(tmp_path, compress):
    compress(tmp_path / "whole.npz", w=MATRIX, bias=np.ones(3))
    whole = (tmp_path / "whole.npz").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        refused(tmp_path / "cut.npz", ".*")


def test_a_flipped_bit_in_the_weights_of_an_archive_is_refused(tmp_path):
    content = bytearray(save(tmp_path / "a.npz", w=MATRIX).read_bytes())
    content[content.index(MATRIX.tobytes()) + 5] ^= 4
    (tmp_path / "a.npz").write_bytes(content)
    refused(tmp_path / "a.npz", r"array 'w' cannot be unpacked, .*CRC.*; save or copy it again")


def test_an_archive_of_unprune_that_is_not_as_it_was_written_is_refused(tmp_path):
    path = tmp_path / "rebuilt.npz"
    write_npz(path, {"w": MATRIX})
    assert np.array_equal(read_model(path).layers["w"], MATRIX)
    content = bytearray(path.read_bytes())
    content[10] ^= 1  # the time of the member, which a zip's own checksums leave out
    path.write_bytes(content)
    refused(path, "is not as unprune wrote it, by the checksum that it carries; make or copy it again")


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damage_anywhere_gives_layers_or_a_model_error(tmp_path_factory, data):
    content = bytearray(WRITERS[data.draw(st.sampled_from(sorted(WRITERS)))](MATRIX))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=4)):
        content[place] = byte
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    layers, line = {}, "none"
    try:
        layers = read_model(path).layers
    except ModelError as error:
        line = str(error)
    assert line.isprintable()
    assert all(layer.ndim == 2 and np.isfinite(layer).all() for layer in layers.values())
