"""The exact figures of every catalogue entry, as recorded in ``expected.json``, and what differs from them.

A change that moves a figure has to record it, so each commit shows what it costs or saves.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hdl.files import write_atomic
from synth.cost import Cost, tools
from synth.figures import difference

PATH = Path(__file__).parent / "expected.json"
RECORD = "record with: make expected (python -m synth.sweep --write)"


def read_expected(path: Path = PATH) -> dict[str, Any]:
    """``tools`` (version by name) and ``designs`` (what :meth:`Cost.to_dict` gives, by name), as recorded.

    Raises:
        OSError: there is no such file.
    """
    recorded: dict[str, Any] = json.loads(path.read_text())
    return recorded


def write_expected(costs: Iterable[Cost], path: Path = PATH) -> None:
    """Record *costs* as the expected figures, in place of all that were recorded."""
    designs = {cost.name: cost.to_dict() for cost in costs}
    write_atomic(path, json.dumps({"tools": tools(), "designs": designs}, indent=1) + "\n")


def moved(name: str, expected: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """One line that says which of the *measured* figures of design *name* (by target) differ from those recorded; empty when none does.

    Recorded targets that were not measured are left out.
    """
    if name not in expected["designs"]:
        return f"{name}: nothing recorded; {RECORD}"
    recorded = expected["designs"][name]
    changes = difference({target: recorded.get(target) for target in measured}, measured)
    if not changes:
        return ""
    then = expected["tools"]
    other = [f"; recorded with {tool} {then.get(tool)}, this is {now}" for tool, now in tools().items() if now != then.get(tool)]
    return f"{name}: {changes}{''.join(other)}; {RECORD}"


def stale(expected: Mapping[str, Any], names: Iterable[str]) -> str:
    """One line that names designs recorded but not among *names*, and those among *names* but not recorded; or nothing."""
    names, recorded = set(names), set(expected["designs"])
    gone = [f"{name} is recorded but no longer in the catalogue" for name in sorted(recorded - names)]
    missing = [f"{name} is in the catalogue but not recorded" for name in sorted(names - recorded)]
    return "; ".join([*gone, *missing, RECORD]) if gone or missing else ""
