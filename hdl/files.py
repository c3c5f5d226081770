"""Files that are whole or not there, and that show whether they still hold what was written.

What is written goes into a hidden sibling, ``.NAME.XXXXXXXX.part``, which is renamed into place at the end; on an error or Ctrl-C the
sibling is removed. Only a process killed outright (``SIGKILL``, power) leaves one behind, which may be deleted.

A JSON file has the SHA-256 of all its other values, as :func:`json.dumps` gives them, under ``checksum``; an ``.npz``, which any reader
takes for an ordinary one, has that of every byte before it in the archive's comment, at its very end.
"""

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

_SEAL = b"unprune 1 sha256:"  # begins the comment of an archive; 1 is the version
_HEX = 64  # characters of a digest
_CHUNK = 1 << 20


class DamagedFileError(ValueError):
    """A file that unprune writes does not hold what it wrote; the message is one line: which, and what to do."""

    def __init__(self, path: str | os.PathLike[str]):
        super().__init__(f"{path}: is damaged, cut short or not of this version of unprune, by its checksum; make it again")


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Give a new file to fill; on leaving the ``with`` block it becomes *path*, or on an error what was there stays as it was.

    Raises:
        FileExistsError: *path* is something else than a file.
        OSError: The folder is missing or closed, or the disk is full.
    """
    target = Path(os.path.realpath(path))  # through a link, not in place of it
    if target.exists() and not target.is_file():
        raise FileExistsError(f"{path} must be a file or nothing yet, was {'a folder' if target.is_dir() else 'a device or pipe'}")
    part = sibling(target, "part")
    try:
        with part.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sibling(target: Path, end: str) -> Path:
    """A hidden name beside *target* that nothing has."""
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{end}")


def write_atomic(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Write *data* (text as UTF-8) to the file *path*; errors as :func:`atomic`."""
    with atomic(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def write_json(path: str | os.PathLike[str], values: Mapping[str, Any]) -> None:
    """Write *values* and their checksum as JSON; errors as :func:`atomic`."""
    write_atomic(path, json.dumps({**values, "checksum": _checksum(values)}, indent=1) + "\n")


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The values that :func:`write_json` wrote.

    Raises:
        DamagedFileError: The file is not as it was written.
        OSError: It is not there or cannot be read.
    """
    try:
        values: dict[str, Any] = json.loads(Path(path).read_bytes())
        intact = values.pop("checksum") == _checksum(values)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        intact = False
    if not intact:
        raise DamagedFileError(path)
    return values


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, Any], *, compress: bool = True) -> None:
    """Write *arrays*, whatever they are named, as an ``.npz`` with a checksum; errors as :func:`atomic`.

    Raises:
        ValueError: An array holds Python objects.
    """
    with atomic(path) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
            archive.comment = _SEAL + bytes(_HEX)
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        digest = _digest(file)
        file.seek(-_HEX, os.SEEK_END)
        file.write(digest)


def read_npz(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The arrays that :func:`write_npz` wrote; nothing of the file is looked into before its checksum has been found right.

    Raises:
        DamagedFileError: The file is not as it was written.
        OSError: It is not there or cannot be read.
    """
    with Path(path).open("rb") as file:
        if not is_intact(file):
            raise DamagedFileError(path)
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)


def is_intact(file: IO[bytes]) -> bool | None:
    """Whether *file* is as :func:`write_npz` wrote it; None where it carries no checksum. Leaves the file at its start."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _HEX - len(_SEAL)))
    seal, digest = file.read(len(_SEAL)), file.read()
    intact = digest == _digest(file) if seal == _SEAL else None
    file.seek(0)
    return intact


def _digest(file: IO[bytes]) -> bytes:
    """The SHA-256 of *file* without as many bytes at its end as the digest has."""
    digest, left = hashlib.sha256(), file.seek(0, os.SEEK_END) - _HEX
    file.seek(0)
    while left > 0:
        digest.update(chunk := file.read(min(left, _CHUNK)))
        left -= len(chunk)
    return digest.hexdigest().encode()


def _checksum(values: Mapping[str, Any]) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(values).encode()).hexdigest()}"
