"""Remember what a tool said of the same text, so that asking twice costs a file read.

An answer is kept under the digest of everything that it depends on: the question (the Verilog text among it), the tools' versions and
the source that asks them. A damaged or half-written answer counts as none.
"""

import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hdl.cache import cache_folder
from hdl.files import DamagedFileError, read_json, write_json

SOURCE = ("flow", "netlist", "figures", "targets", "clock")  # the modules that say what is asked and what is made of the answer


@functools.cache
def _own_source() -> str:
    texts = [(Path(__file__).parent / f"{name}.py").read_bytes() for name in SOURCE]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def folder() -> Path:
    """Where the answers lie: ``synth`` in the user's cache folder for unprune. It may be deleted at any time."""
    return cache_folder() / "synth"


def remember(question: list[Any], answer: Callable[[], dict[str, Any]], *, fresh: bool) -> dict[str, Any]:
    """*answer()*, or what it gave for the same *question* (plain JSON types) before. *fresh* asks again in any case."""
    key = hashlib.sha256(json.dumps([question, _own_source()]).encode()).hexdigest()
    path = folder() / f"{key}.json"
    if not fresh:
        try:
            return read_json(path)
        except (OSError, DamagedFileError):
            pass  # never asked, or damaged
    given = answer()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, given)
    return given
