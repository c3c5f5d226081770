"""Finding the simulators: what is missing is said in one line, the shims work, and the object cache compiles once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from sim import tools
from sim.objcache import compile_once

COMPILER = """#!/bin/sh
case "$*" in
  --version) echo "compiler $VERSION"; exit;;
  *-E*) cat x.cpp; exit;;
esac
echo "$*" >> calls
while [ "$1" != -o ]; do shift; done
echo object > "$2"
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNPRUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_an_empty_path_gives_one_line_with_what_to_install(simulator, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    what = {"verilator": r"a C\+\+ compiler \(the command c\+\+\)", "icarus": r"Icarus Verilog \(iverilog and vvp\)"}[simulator]
    with pytest.raises(tools.ToolMissing, match=rf"^{what} is missing: install it \(Debian and Ubuntu: apt-get install [a-z+]+\)$"):
        tools.check(simulator)


def test_a_simulator_that_is_none_is_not_one_that_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"^simulator must be one of verilator, icarus, was 'other'$"):
        tools.check("other")


def test_a_compiler_without_make_gives_make_as_missing(monkeypatch, tmp_path):
    (tmp_path / "c++").write_text("#!/bin/sh\n")
    (tmp_path / "c++").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(tools.ToolMissing, match=r"^make is missing: install it \(Debian and Ubuntu: apt-get install make\)$"):
        tools.check("verilator")


def test_a_cache_folder_that_cannot_be_made_says_which_variable_to_set(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("UNPRUNE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(tools.ToolMissing, match=r"^the cache folder .* cannot be written \(.*\): set UNPRUNE_CACHE to another one$"):
        tools.cache_folder()


def test_a_cache_folder_with_a_space_says_which_variable_to_set(monkeypatch, tmp_path):
    monkeypatch.setenv("UNPRUNE_CACHE", str(tmp_path / "my cache"))
    with pytest.raises(tools.ToolMissing, match=r"^the cache folder '.*' has a space in its path: set UNPRUNE_CACHE to a folder without$"):
        tools.cache_folder()


@pytest.mark.usefixtures("cache")
def test_the_shims_run_verilator_and_this_python():
    environment = tools.environment()
    said = subprocess.run(["verilator", "--version"], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "rev" in said
    command = ["python", "-c", "import sys; print(sys.prefix)"]
    prefix = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    assert prefix.stdout.strip() == sys.prefix


def test_processes_that_start_together_agree_on_one_shim_folder(cache):
    def folder(_):
        command = [sys.executable, "-c", "from sim import tools; print(tools.shim_folder())"]
        return subprocess.run(command, env=tools.environment(), stdout=subprocess.PIPE, text=True, check=True).stdout

    tools.environment()  # the environment for the processes; its folder goes, so that all of them have to make it
    made = tools.shim_folder()
    for path in made.iterdir():
        path.unlink()
    made.rmdir()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(folder, range(4))) == {f"{made}\n"}
    assert {path.name for path in made.iterdir()} == {"verilator", "python", "objcache", "libs", "share", "root"}
    assert [path.name for path in cache.iterdir()] == ["shims"]


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """A compiler that writes down how often it is called for real; gives a function that compiles with it."""
    (tmp_path / "c++").write_text(COMPILER)
    (tmp_path / "c++").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VERSION", "1")

    def compile_text(text, *flags):
        (tmp_path / "x.cpp").write_text(text)
        (tmp_path / "x.o").unlink(missing_ok=True)
        assert compile_once(tmp_path / "objects", ["./c++", *flags, "-c", "-o", "x.o", "x.cpp"]) == 0
        assert (tmp_path / "x.o").read_text() == "object\n"
        return len((tmp_path / "calls").read_text().splitlines())

    return compile_text


def test_the_same_text_and_flags_compile_once(compiler):
    assert [compiler("text", "-Os"), compiler("text", "-Os")] == [1, 1]


def test_another_include_path_alone_compiles_once(compiler):
    assert [compiler("text", "-I/one"), compiler("text", "-I/two")] == [1, 1]


def test_other_text_flags_or_compiler_compile_anew(compiler, monkeypatch):
    assert [compiler("text", "-Os"), compiler("other", "-Os"), compiler("text", "-O2")] == [1, 2, 3]
    monkeypatch.setenv("VERSION", "2")
    assert compiler("text", "-Os") == 4


def test_a_source_that_does_not_compile_gives_the_compilers_exit_code_and_keeps_nothing(tmp_path):
    (tmp_path / "c++").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "c++").chmod(0o755)
    assert compile_once(tmp_path / "objects", [str(tmp_path / "c++"), "-c", "-o", "x.o", "x.cpp"]) == 3
    assert not (tmp_path / "objects").exists()
