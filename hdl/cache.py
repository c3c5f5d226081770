"""The one folder in which unprune keeps what is worth keeping between runs, and works in between."""

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import platformdirs


class ToolMissing(RuntimeError):  # noqa: N818 (what is the case, not what went wrong)
    """This machine lacks something that a tool needs. The message is one line: what is missing and what to do."""


def cache_folder() -> Path:
    """``unprune`` in the user's cache folder, or what ``UNPRUNE_CACHE`` names; made if it is not there. It may be deleted at any time.

    Raises:
        ToolMissing: it cannot be written, or its path holds a space (which make cannot take).
    """
    folder = Path(os.environ.get("UNPRUNE_CACHE") or platformdirs.user_cache_dir("unprune", appauthor=False)).absolute()
    if any(character.isspace() for character in str(folder)):
        raise ToolMissing(f"the cache folder {str(folder)!r} has a space in its path: set UNPRUNE_CACHE to a folder without")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ToolMissing(f"the cache folder {folder} cannot be written ({error.strerror}): set UNPRUNE_CACHE to another one") from error
    return folder


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for tools to work in; not below /tmp, which the WebAssembly tools cover with one of their own.

    It has to be left within a day: what is older is taken for the remains of a process that was killed, and removed.
    """
    for left in cache_folder().glob("work-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 86400:
                shutil.rmtree(left)
    return tempfile.TemporaryDirectory(dir=cache_folder(), prefix="work-")
