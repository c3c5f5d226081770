"""Write folders so that what stands under their final name is always whole; for files see :mod:`hdl.files`.

A hidden sibling is filled first, ``.NAME.XXXXXXXX.part``, and renamed into place at the end; on an error or Ctrl-C the sibling is
removed. Only a process killed outright (``SIGKILL``, power) leaves a sibling behind, which may be deleted.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hdl.files import sibling

MARKER = ".unprune"
_MARKER_HEAD = "# Written by unprune, which replaces this folder as a whole and refuses to if it holds other files than these."
_DIGEST = 66  # characters of a line before the name: the SHA-256 and two spaces


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder to fill; on leaving the ``with`` block it becomes *path*. Missing parents are made.

    The folder's marker file ``.unprune`` lists all that is in it with its checksum; ``sha256sum -c .unprune`` verifies them.

    What is at *path* already: nothing or an empty folder, it is taken; the output of an earlier run, with no other files than its marker
    lists, it is replaced as a whole at the end, so that it survives a run that fails or is interrupted; anything else is refused before
    the block starts, and again at the end. For the moment between the two last renames the earlier output is named
    ``.NAME.XXXXXXXX.old``. Write no absolute path of the folder given into its files: its name changes.

    Raises:
        FileExistsError: *path* is a file, a folder with files that unprune did not write, a mount point, or holds the current folder.
        OSError: The parent is closed, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    _check_replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = sibling(target, "part")
    try:
        part.mkdir()
        yield part
        lines = [f"{_digest(part / name)}  {name}" for name in sorted(_files(part) - {MARKER})]
        (part / MARKER).write_text("\n".join([_MARKER_HEAD, *lines, ""]), encoding="utf-8", errors="surrogateescape")
        _check_replaceable(target)
        _replace_folder(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _files(folder: Path) -> set[str]:
    """All that is in *folder* and is not a folder, by relative name with forward slashes."""
    return {
        (Path(place) / name).relative_to(folder).as_posix()
        for place, folders, files in os.walk(folder)
        for name in [*files, *(name for name in folders if (Path(place) / name).is_symlink())]
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_replaceable(target: Path) -> None:
    """Raise FileExistsError, with what to do, unless :func:`new_folder` may take the name *target*."""

    def refuse(what: str) -> FileExistsError:
        return FileExistsError(f"the output folder {target} {what}; choose another")

    if target == Path.cwd() or target in Path.cwd().parents:
        raise refuse("is the current folder or holds it")
    if not target.exists():
        return
    if not target.is_dir():
        raise refuse("exists and is not a folder")
    if target.is_mount():
        raise refuse("is a mount point, which cannot be renamed")
    marker = target / MARKER
    if not marker.is_file():
        if any(target.iterdir()):
            raise refuse("exists and was not written by unprune")
        return
    listed = marker.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    foreign = sorted(_files(target) - {MARKER} - set(listed) - {line[_DIGEST:] for line in listed})  # 0.1.0 listed names alone
    if foreign:
        raise refuse(f"holds {foreign[0]!r}, which unprune did not write")


def _replace_folder(part: Path, target: Path) -> None:
    """Rename *part* to *target*; a folder there steps aside first, comes back if that fails, and is deleted if it does not."""
    if not target.exists():
        part.rename(target)
        return
    old = sibling(target, "old")
    try:
        target.rename(old)
        part.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
