"""Read a user's network from ``.npz`` or ``.npy``, trusting nothing in the file.

Nothing is ever unpickled, no memory is taken for what a header claims before the file was seen to hold it, and a file may hold at most
``MAX_WEIGHTS`` weights unpacked. Everything wrong with a file is a :class:`ModelError` of one line: which file and array, what is wrong,
what to do.
"""

import ast
import math
import os
import re
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from hdl.files import is_intact

MAX_WEIGHTS = 2**28  # 1 GiB as float32
_NPY_MAGIC = b"\x93NUMPY"
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_HEADER_MAX = 10_000  # bytes; numpy writes 118 for any plain array
_CHUNK = 2**20  # weights converted at a time
_SAVE_AS = "save it with numpy.savez(path, name=array, ...)"
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, struct.error)


class ModelError(ValueError):
    """A model file cannot be used; the message is one line: where, what, and what to do."""


@dataclass(frozen=True)
class Model:
    """What a model file holds.

    Attributes:
        layers: Name to weight matrix (rows, columns), float32, finite, with one element or more, in the file's order. A convolution
            (outputs, inputs, height, width) is a matrix (outputs, inputs * height * width).
        left_out: Name to the reason why it is not a layer; empty if all are.
    """

    layers: dict[str, NDArray[np.float32]]
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Header:
    """What stands before the numbers of an array, checked."""

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran_order: bool

    @property
    def count(self) -> int:
        return math.prod(self.shape)


def read_model(path: str | os.PathLike[str]) -> Model:
    """The layers of the network in *path*; which kind of file it is shows from its first bytes, not from its name.

    In an ``.npz`` every 2-D and 4-D array is a layer; arrays of other dimensions (biases, scalars) and files that are no arrays are left
    out, with the reason. An ``.npy`` is one layer, named after the file. Weights may be floats or integers; all become float32, rounded
    where they must be. One that unprune wrote carries a checksum, which is verified.

    Raises:
        ModelError: The file is missing, a folder, truncated, damaged, of another kind, too large or without a layer; an array is pickled;
            or a layer has no element, a NaN, an infinity, or elements that are not real numbers.
    """
    try:
        file_path = Path(path)
        if file_path.is_dir():
            raise ModelError(f"{path}: is a folder; give a .npz or .npy file")
        if file_path.exists() and not file_path.is_file():
            raise ModelError(f"{path}: is not a regular file; give a .npz or .npy file")
        with file_path.open("rb") as file:
            magic = file.read(len(_NPY_MAGIC))
            file.seek(0)
            if magic == _NPY_MAGIC:
                return _read_npy(file, path, file_path.stem)
            if magic[:4] in _ZIP_MAGIC:
                return _read_npz(file, path)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}; give a .npz or .npy file that can be read") from None
    was = "is empty" if not magic else f"is neither .npz nor .npy (it begins with {magic.hex(' ')})"
    raise ModelError(f"{path}: {was}; {_SAVE_AS}")


def _read_npy(file: IO[bytes], path: str | os.PathLike[str], name: str) -> Model:
    where = f"{path}: array {name!r}"
    header = _read_header(file, where)
    reason = _why_not_layer(header)
    if reason:
        raise ModelError(f"{where} {reason}; a layer is a matrix (rows, columns) or a convolution (outputs, inputs, height, width)")
    size = os.fstat(file.fileno()).st_size
    return Model({name: _read_layer(file, header, size - file.tell(), MAX_WEIGHTS, where)})


def _read_npz(file: IO[bytes], path: str | os.PathLike[str]) -> Model:
    model = Model({})
    name = ""
    if is_intact(file) is False:
        raise ModelError(f"{path}: is not as unprune wrote it, by the checksum that it carries; make or copy it again")
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                _read_member(archive, member, name, model, f"{path}: array {name!r}")
    except ModelError:
        raise
    except _ZIP_ERRORS as error:
        what = f"{path}: array {name!r}" if name else f"{path}:"
        why = f"the file is damaged or cut short ({_one_line(error)})"
        raise ModelError(f"{what} cannot be unpacked, {why}; save or copy it again") from None
    if not model.layers:
        found = "; ".join(f"{name!r} {reason}" for name, reason in list(model.left_out.items())[:5]) or "it is empty"
        raise ModelError(f"{path}: holds no layer ({found}); {_SAVE_AS}, weights as 2-D or 4-D arrays")
    return model


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, model: Model, where: str) -> None:
    """Put one file of an ``.npz`` into *model*, as a layer or as left out."""
    if not name.isprintable() or not name:
        raise ModelError(f"{where} must have a name of printable characters; rename it")
    if name in model.layers or name in model.left_out:
        raise ModelError(f"{where} is there twice; rename one")
    if not member.filename.endswith(".npy"):
        model.left_out[name] = "is not an array"
        return
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others take the memory that the file asks for
        raise ModelError(f"{where} is packed in a way that numpy does not write; {_SAVE_AS}")
    with archive.open(member) as packed:
        header = _read_header(packed, where)
        reason = _why_not_layer(header)
        if reason:
            model.left_out[name] = reason
            return
        room = MAX_WEIGHTS - sum(layer.size for layer in model.layers.values())
        model.layers[name] = _read_layer(packed, header, member.file_size - packed.tell(), room, where)


def _why_not_layer(header: _Header) -> str:
    """Why an array cannot be a weight matrix whatever its values, or nothing."""
    dimensions = len(header.shape)
    if dimensions in (2, 4):
        return ""
    return "is 1-D, a bias or the like" if dimensions == 1 else f"is {dimensions}-D"


def _read_header(file: IO[bytes], where: str) -> _Header:
    """Read up to the first number of an array in numpy's format 1.0, 2.0 or 3.0.

    Own code, because numpy's reader gives a dozen kinds of exceptions and warnings on damaged headers.
    """
    start = file.read(8)
    if start[:6] != _NPY_MAGIC or len(start) < 8:
        raise ModelError(f"{where} is not in numpy's .npy format (it begins with {start.hex(' ')}); {_SAVE_AS}")
    if start[6] not in (1, 2, 3):
        raise ModelError(f"{where} is in version {start[6]}.{start[7]} of the .npy format, which is unknown; {_SAVE_AS}")
    length_bytes = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(length_bytes), "little")
    if length > _HEADER_MAX:
        raise ModelError(f"{where} has a header of {length} bytes, more than any plain array needs; {_SAVE_AS}")
    text = file.read(length)
    if len(text) < length:
        raise ModelError(f"{where} ends within its header, the file is cut short; save or copy it again")
    try:
        with warnings.catch_warnings(action="error"):  # an odd escape in garbage is an error, not a line on the user's screen
            values = ast.literal_eval(text.decode("latin-1").strip())
        descr, fortran_order, shape = values["descr"], values["fortran_order"], values["shape"]
        shown = repr(shape)  # which Python refuses for a number of thousands of digits
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError, Warning):
        raise ModelError(f"{where} has a damaged header; save or copy it again") from None
    sizes = isinstance(shape, tuple) and all(type(size) is int and 0 <= size < 1 << 63 for size in shape)
    if not sizes or not isinstance(fortran_order, bool):
        raise ModelError(f"{where} has a damaged header (shape {shown[:80]}); save or copy it again")
    return _Header(_dtype(descr, where), shape, fortran_order)


def _dtype(descr: object, where: str) -> np.dtype:
    if not isinstance(descr, str) or not re.fullmatch(r"[<>|=]?[a-zA-Z]\d{0,9}(\[\w+\])?", descr):
        raise ModelError(f"{where} has elements of type {str(descr)[:40]!r}; convert it to float32")
    try:
        dtype = np.dtype(descr)
    except (TypeError, ValueError):
        raise ModelError(f"{where} has elements of the unknown type {descr!r}; convert it to float32") from None
    if dtype.hasobject:
        raise ModelError(f"{where} holds pickled Python objects, which could run code and are not read; convert it to float32")
    return dtype


def _read_layer(file: IO[bytes], header: _Header, size: int, room: int, where: str) -> NDArray[np.float32]:
    """Read the numbers after *header*, of which the file declares *size* bytes, as a float32 matrix of at most *room* weights."""
    if header.dtype.kind not in "fiu":
        raise ModelError(f"{where} has elements of type {header.dtype}, not real numbers; convert it to float32")
    if not header.count:
        raise ModelError(f"{where} of shape {header.shape} has no element; leave it out of the file")
    needed = header.count * header.dtype.itemsize
    if size < needed:
        raise ModelError(f"{where} {header.shape} needs {needed} bytes and has {size}, the file is cut short; save or copy it again")
    if header.count > room:
        raise ModelError(f"{where} of shape {header.shape} takes the file past {MAX_WEIGHTS} weights; split it into several files")
    flat = np.empty(0, np.float32)
    wrong: Counter[str] = Counter()
    for start in range(0, header.count, _CHUNK):
        if start == flat.size:  # an archive may declare more than it holds: memory is taken for as much again as has been seen
            flat.resize(min(max(2 * start, _CHUNK), header.count), refcheck=False)
        wrong += _read_chunk(file, header.dtype, flat[start : start + _CHUNK], where)
    if wrong:
        found = ", ".join(f"{count} {kind}" for kind, count in wrong.items())
        raise ModelError(f"{where} has {found} of {header.count} elements; every weight must be finite in float32, check the training")
    matrix = flat.reshape(header.shape[::-1]).T if header.fortran_order else flat.reshape(header.shape)
    return np.ascontiguousarray(matrix).reshape(header.shape[0], -1)


def _read_chunk(file: IO[bytes], dtype: np.dtype, into: NDArray[np.float32], where: str) -> Counter[str]:
    """Fill *into* with the next numbers as float32, and count those that are not finite there."""
    data = file.read(into.size * dtype.itemsize)
    if len(data) < into.size * dtype.itemsize:
        raise ModelError(f"{where} ends before its last element, the file is cut short; save or copy it again")
    numbers = np.frombuffer(data, dtype)
    with np.errstate(over="ignore"):
        into[:] = numbers
    if np.isfinite(into).all():
        return Counter()
    infinite = int(np.isinf(numbers).sum())
    return +Counter({"NaN": int(np.isnan(into).sum()), "infinite": infinite, "too large": int(np.isinf(into).sum()) - infinite})


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
