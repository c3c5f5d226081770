"""What a user writes on the command line, as parameters: catalogue names, ``key=value`` settings, a density for each layer."""

import ast
import dataclasses
import difflib
import importlib.util
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from golden.catalog import CATALOG, DEFAULTS, FORMATS
from golden.params.base import Parameters, check
from golden.params.sparse import SparseParameters

DEMO = ("viterbi", "csr", "rlc", "nm")  # formats that the demo takes where none is named: two minutes, the first time
Densities = dict[str, float | None]  # by layer; None where it is to stay as it is


def designs(formats: Sequence[str] | None, names: Sequence[str] | None) -> list[Parameters]:
    """The decoders of these catalogue *names*, and the default one of each of *formats*; where neither is given, of all formats that can be
    encoded and are no view of another.

    Raises:
        ValueError: an unknown name or format, or one of a format that has a decoder but no encoder; one line with those there are.
    """
    encoded = [one for one in FORMATS if importlib.util.find_spec(f"unprune.encode.{one}")]
    own = [one for one in encoded if not FORMATS[one].view]
    chosen = {name: entry(name) for name in names or ()}
    for one in formats or (() if chosen else own):
        check(one in FORMATS, "format", f"one of {', '.join(encoded)}", one)
        chosen[DEFAULTS[one].name] = DEFAULTS[one]
    for parameters in chosen.values():
        check(parameters.format in encoded, "the format of a network", f"one of {', '.join(encoded)}", parameters.format)
    return list(chosen.values())


def entry(name: str) -> Parameters:
    """The catalogue's parameters of that name; ``ValueError`` that says where they are listed, or which is alike, where there are none."""
    check(name in CATALOG, "the decoder", f"a name of the catalogue ({_hint(name)})", name)
    return CATALOG[name]


def configured(name_or_format: str, settings: Iterable[str], lanes: int | None = None, sparse: bool = False) -> Parameters:
    """Parameters from a catalogue entry or a format, and ``key=value`` *settings*.

    With *lanes*, the format's decoder of so many weights a beat; with *sparse*, the sparse view of what is described so far.

    A value is an integer (``0b``, ``0x`` allowed), ``true``, ``false``, ``none``, a word, or several of them with commas between.

    Raises:
        ValueError, TypeError: an unknown name, a setting that cannot be read, or values that no decoder can have; one line.
    """
    given = dict(_setting(text) for text in settings)
    if not sparse:
        return _described(name_or_format, given, lanes)
    skid = given.pop("skid", False)
    return SparseParameters(of=_described(name_or_format, given, lanes), skid=skid)


def _described(name_or_format: str, given: dict[str, Any], lanes: int | None) -> Parameters:
    if lanes is not None:
        check(name_or_format in FORMATS, "the decoder", f"a format ({', '.join(FORMATS)}) where lanes are given", name_or_format)
        kind = FORMATS[name_or_format]
        kind.check_names(given)
        return kind.weights(lanes, **_as_declared(kind, given))
    if name_or_format in CATALOG:
        base = CATALOG[name_or_format]
        values: dict[str, Any] = base.to_dict() | ({"name": ""} if given else {}) | given
        return type(base).from_dict(_as_declared(type(base), values))
    known = f"a format ({', '.join(FORMATS)}) or a name of the catalogue ({_hint(name_or_format)})"
    check(name_or_format in FORMATS, "the decoder", known, name_or_format)
    kind = FORMATS[name_or_format]
    required = [f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
    missing = [name for name in required if name not in given]
    if missing:
        example = DEFAULTS[name_or_format].name
        raise ValueError(f"{name_or_format} needs {', '.join(missing)}: give each with --set, or start from a catalogue entry as {example}")
    return kind.from_dict(_as_declared(kind, given))


def densities(texts: Iterable[str]) -> Densities:
    """Layer to density, or None for ``skip``, from ``LAYER=DENSITY`` or ``LAYER=skip``; ``ValueError`` where one cannot be read."""
    given: Densities = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        try:
            given[name] = None if value == "skip" else float(value)
        except ValueError:
            equals = ""
        check(bool(equals and name), "--layer", "LAYER=DENSITY or LAYER=skip", text)
    return given


def described(kind: type[Parameters]) -> dict[str, str]:
    """Each parameter's meaning, as the docstrings of the class and its bases say under ``Attributes:``."""
    found: dict[str, str] = {}
    for one in kind.__mro__:
        _, _, attributes = (one.__doc__ or "").partition("Attributes:")
        for name, text in re.findall(r"^ {8}(\w+): (.*(?:\n {9,}.*)*)", attributes, re.MULTILINE):
            found.setdefault(name, _plain(re.sub(r"\s+", " ", text)))
    return found


def _plain(text: str) -> str:
    """*text* without the marks of reStructuredText."""
    parts = text.split("``")
    return "".join(part if number % 2 else re.sub(r"\*(\w[^*]*)\*", r"\1", part) for number, part in enumerate(parts))


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name, CATALOG, n=1)
    return f"such as {near[0]}" if near else "unprune formats lists them"


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    check(bool(equals and key and value), "--set", "KEY=VALUE", text)
    parts = [_value(part.strip()) for part in value.strip("()[]").split(",") if part.strip()]
    return key.strip(), parts[0] if len(parts) == 1 and "," not in value else tuple(parts)


def _value(text: str) -> Any:
    words: Mapping[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        number = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return number if isinstance(number, int | float) else text


def _as_declared(kind: type[Parameters], values: Mapping[str, Any]) -> dict[str, Any]:
    """*values*, where a single one given for a tuple becomes a tuple of one, and a name given for parameters those of the catalogue."""
    hints = typing.get_type_hints(kind)

    def declared(hint: Any, value: Any) -> Any:
        if typing.get_origin(hint) is tuple and not isinstance(value, tuple | list):
            return (value,)
        return entry(value) if hint is Parameters and isinstance(value, str) else value

    return {name: declared(hints.get(name), value) for name, value in values.items()}
