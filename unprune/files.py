"""Write files and folders so that what stands under their final name is always whole.

Both ways fill a hidden sibling first, ``.NAME.XXXXXXXX.part``, and rename it into place at the end; on an error or Ctrl-C the sibling is
removed. Only a process killed outright (``SIGKILL``, power) leaves a sibling behind, which may be deleted.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARKER = ".unprune"
_MARKER_HEAD = "Written by unprune, which replaces this folder as a whole and refuses to if it holds other files than these:"


def write_atomic(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Write *data* (text as UTF-8) to the file *path*, or leave what was there as it was.

    Raises:
        FileExistsError: *path* is something else than a file.
        OSError: The folder is missing or closed, or the disk is full.
    """
    target = Path(os.path.realpath(path))  # through a link, not in place of it
    if target.exists() and not target.is_file():
        raise FileExistsError(f"{path} must be a file or nothing yet, was {'a folder' if target.is_dir() else 'a device or pipe'}")
    part = _sibling(target, "part")
    try:
        with part.open("xb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder to fill; on leaving the ``with`` block it becomes *path*. Missing parents are made.

    What is at *path* already: nothing or an empty folder, it is taken; the untouched output of an earlier run (its marker file ``.unprune``
    lists all that is in it), it is replaced as a whole at the end, so that it survives a run that fails or is interrupted; anything
    else is refused before the block starts, and again at the end. For the moment between the two last renames the earlier output is
    named ``.NAME.XXXXXXXX.old``. Write no absolute path of the folder given into its files: its name changes.

    Raises:
        FileExistsError: *path* is a file, a folder with files that unprune did not write, a mount point, or holds the current folder.
        OSError: The parent is closed, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    _check_replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _sibling(target, "part")
    try:
        part.mkdir()
        yield part
        names = sorted(_files(part) - {MARKER})
        (part / MARKER).write_text("\n".join([_MARKER_HEAD, *names, ""]), encoding="utf-8", errors="surrogateescape")
        _check_replaceable(target)
        _replace_folder(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _sibling(target: Path, end: str) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{end}")


def _files(folder: Path) -> set[str]:
    """All that is in *folder* and is not a folder, by relative name with forward slashes."""
    return {
        (Path(place) / name).relative_to(folder).as_posix()
        for place, folders, files in os.walk(folder)
        for name in [*files, *(name for name in folders if (Path(place) / name).is_symlink())]
    }


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
    foreign = sorted(_files(target) - {MARKER} - set(listed))
    if foreign:
        raise refuse(f"holds {foreign[0]!r}, which unprune did not write")


def _replace_folder(part: Path, target: Path) -> None:
    """Rename *part* to *target*; a folder there steps aside first, comes back if that fails, and is deleted if it does not."""
    if not target.exists():
        part.rename(target)
        return
    old = _sibling(target, "old")
    try:
        target.rename(old)
        part.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
