"""The house stands as planned: imports go one way, a format has its file in every room, files stay readable."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from golden.catalog import FORMATS

ROOT = Path(__file__).parents[1]
ROOMS = ("golden", "hdl", "sim", "synth", "unprune")
SHARED = ("golden.params", "golden.catalog")
TOOLS = ("hdl.emit", "hdl.yowasp", "hdl.pdr", "hdl.cache", "hdl.files")
BENCHES = ("sim.bench_", "sim.testbench", "sim.monitor")
FILES_OF_A_FORMAT = ("golden/params/{}.py", "golden/{}.py", "hdl/{}.py", "sim/bench_{}.py", "unprune/encode/{}.py", "docs/{}.md")
MOST_LINES = 400

# What a module may import of the rooms and of amaranth, by the longest start of its name that is listed here.
# A name that ends with a dot or an underscore is the start of a name; others are that module and what is in it.
ALLOWED: dict[str, tuple[str, ...]] = {
    "golden.params": ("golden.params",),
    "golden.catalog": SHARED,
    "golden": ("golden",),
    "hdl": (*SHARED, "hdl", "amaranth.hdl", "amaranth.lib"),
    "hdl.emit": (*SHARED, "hdl", "amaranth"),  # alone knows the back end
    "hdl.properties": (*SHARED, "hdl", "hdl.properties", "amaranth.hdl", "amaranth.lib", "amaranth.asserts"),
    **dict.fromkeys(BENCHES, ("golden", "hdl.files", *BENCHES)),
    "sim": (*SHARED, *TOOLS, "sim"),
    "sim.player": ("golden", *TOOLS, "sim"),  # compares what it plays, as a bench does
    "synth": (*SHARED, *TOOLS, "synth"),
    "unprune": ROOMS,
}


def within(name: str, start: str) -> bool:
    """Whether *name* is the module *start*, or in it; a *start* with a dot or underscore at its end is only that much of the name."""
    return name.startswith(start) if start[-1] in "._" else name == start or name.startswith(f"{start}.")


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of all that a module imports, ``importlib.import_module`` of a name that starts with a literal included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            literal = next((part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)), "")
            yield node.lineno, str(literal).rstrip(".")


def violations(root: Path) -> list[str]:
    """Imports below *root* that go the wrong way, as ``FILE:LINE imports NAME``."""
    found = []
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        allowed = ALLOWED[max((start for start in ALLOWED if within(module, start)), key=len)]
        for line, name in imports(ast.parse(path.read_text())):
            ours = name.startswith(".") or name.partition(".")[0] in (*ROOMS, "amaranth", "tests", "benchmarks")
            right = any(within(name, start) for start in allowed)
            if within(name, "hdl.properties") and not within(module, "hdl.properties"):
                right = module.startswith("unprune")
            if ours and not right:
                found.append(f"{path.relative_to(root)}:{line} imports {name}")
    return found


def texts() -> list[Path]:
    """Every text file that the house is made of."""
    folders = [ROOT / folder for folder in (*ROOMS, "tests", "benchmarks", "docs", ".ci")]
    inside = [path for folder in folders for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    beside = [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml") or path.name in ("Makefile", ".gitignore")]
    return [path for path in inside + beside if path.suffix not in (".npz", ".npy", ".png", ".pyc", ".safetensors", ".onnx")]


def test_imports_go_one_way() -> None:
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("golden/csr.py", "from amaranth.hdl import Signal"),
        ("golden/csr.py", "import hdl.csr"),
        ("golden/params/csr.py", "from golden import bits"),
        ("golden/catalog.py", "from golden.csr import decode"),
        ("hdl/csr.py", "from golden.csr import decode"),
        ("hdl/csr.py", "from golden import csr"),
        ("hdl/csr.py", "import importlib; importlib.import_module(f'golden.{__name__}')"),
        ("hdl/csr.py", "from hdl.properties.spec import Spec"),
        ("hdl/csr.py", "from amaranth.back import rtlil"),
        ("hdl/properties/csr.py", "from golden.csr import decode"),
        ("sim/bench_csr.py", "from hdl.csr import CsrDecoder"),
        ("sim/testbench.py", "def late():\n    from hdl import emit"),
        ("sim/run.py", "from hdl.csr import CsrDecoder"),
        ("sim/run.py", "import synth.flow"),
        ("synth/flow.py", "from sim import run"),
        ("synth/flow.py", "from . import targets"),
        ("unprune/flow.py", "import tests.test_house"),
    ],
)
def test_an_import_that_goes_the_wrong_way_is_found(tmp_path: Path, file: str, line: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(f"import json\n{line}\n")
    assert len(violations(tmp_path)) == 1
    assert violations(tmp_path)[0].startswith(f"{file}:")


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("hdl/csr.py", "from golden.params.csr import CsrParameters"),
        ("hdl/properties/csr.py", "from hdl.csr import State"),
        ("sim/bench_csr.py", "from golden.csr import decode"),
        ("sim/run.py", "from hdl.emit import emit"),
        ("synth/cost.py", "from hdl import yowasp"),
        ("unprune/cli.py", "import hdl.properties"),
    ],
)
def test_an_import_that_goes_the_right_way_is_let_pass(tmp_path: Path, file: str, line: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n")
    assert violations(tmp_path) == []


@pytest.mark.parametrize("room", FILES_OF_A_FORMAT)
@pytest.mark.parametrize("format", FORMATS)
def test_a_format_has_its_file_in_every_room(format: str, room: str) -> None:
    assert (ROOT / room.format(format)).is_file()


def test_no_file_is_longer_than_an_idea() -> None:
    sources = [path for path in texts() if path.suffix == ".py"]
    assert len(sources) > 50
    assert [str(path.relative_to(ROOT)) for path in sources if len(path.read_text().splitlines()) > MOST_LINES] == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    machine_folder = re.compile(r"(?<![\w.*~}-])/(?:work|home|root|Users|tmp|opt|mnt|var)/\w")
    assert machine_folder.search(f"cd {'/'}home/someone")
    found = {str(path.relative_to(ROOT)): machine_folder.search(path.read_text(errors="replace")) for path in texts()}
    assert {name: match[0] for name, match in found.items() if match} == {}
