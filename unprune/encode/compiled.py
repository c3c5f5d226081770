"""Compiled Python that keeps its machine code between runs."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from hdl.cache import ToolMissing, cache_folder


@functools.cache
def _folder() -> str:
    """Where the machine code of this state of the package is kept; empty where nothing can be."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    try:
        return str(cache_folder() / "numba" / digest.hexdigest()[:16])
    except ToolMissing:
        return ""


def compiled(function: Callable[..., Any]) -> Any:
    """*function* compiled, to run without the interpreter's lock.

    numba notices only edits of the function's own file, not of what it calls, so machine code is kept under a digest of the whole package.
    """
    if not _folder():
        return numba.njit(nogil=True)(function)
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, _folder()
    try:
        return numba.njit(cache=True, nogil=True)(function)
    finally:
        config.CACHE_DIR = before
