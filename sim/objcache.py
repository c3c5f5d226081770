"""Object cache in front of the C++ compiler: Verilator's runtime is compiled once per machine, not once per design.

Verilator's makefiles put the command in ``OBJCACHE`` before every compiler call: ``objcache.py FOLDER c++ -Os ... -c -o x.o x.cpp``.
The key is the compiler's version, its flags without paths, and the preprocessed text. Runs as a script, with the standard library alone.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def compile_once(cache: Path, command: list[str]) -> int:
    """Do what *command* does, from *cache* if it was done before; gives the compiler's exit code."""
    # The package's makefile precompiles a header and then names it without saying -include: a file that the compiler does not
    # find. The sources include the header by themselves, so it is enough that make sees a file.
    command = [word for word in command if not word.endswith((".h.fast", ".h.slow"))]
    output = _output(command)
    if output is None:
        return subprocess.call(command)
    if output.suffix == ".gch":
        output.touch()
        return 0
    key = _key(command)
    kept = cache / key[:2] / f"{key}.o"
    if key and kept.exists():
        shutil.copyfile(kept, output)
        return 0
    code = subprocess.call(command)
    if code == 0 and key:
        _store(output, kept)
    return code


def _output(command: list[str]) -> Path | None:
    """The file that *command* writes: as ``-o`` says, else the source's name with ``.o``; None where it compiles nothing."""
    if "-o" in command:
        return Path(command[command.index("-o") + 1])
    sources = [word for word in command if word.endswith(".cpp")]
    return Path(Path(sources[0]).stem + ".o") if "-c" in command and len(sources) == 1 else None


def _key(command: list[str]) -> str:
    """Digest of what decides the object; "" where the source cannot be preprocessed, which the compiler will then say itself."""
    flags, words = [], iter(command[1:])
    for word in words:
        if word == "-o":
            next(words)
        elif word not in ("-c", "-MMD", "-MP"):
            flags.append(word)
    text = subprocess.run([command[0], *flags, "-E", "-P"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if text.returncode:
        return ""
    version = subprocess.run([command[0], "--version"], stdout=subprocess.PIPE, check=False).stdout
    options = [flag for flag in flags if flag.startswith("-") and not flag.startswith("-I")]
    return hashlib.sha256(b"\0".join([version, "\0".join(options).encode(), text.stdout])).hexdigest()


def _store(output: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=kept.parent)
    os.close(handle)
    shutil.copyfile(output, temporary)
    Path(temporary).replace(kept)  # atomic: another process sees the whole object or none


if __name__ == "__main__":
    sys.exit(compile_once(Path(sys.argv[1]), sys.argv[2:]))
