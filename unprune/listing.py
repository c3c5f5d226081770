"""Tables of what there is and of how tests went."""

import dataclasses
from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.table import Table

from golden.catalog import CATALOG, DEFAULTS, FORMATS
from golden.params.base import Parameters
from sim.run import Outcome
from unprune.settings import described


def formats(names: Sequence[str]) -> Iterator[Table]:
    """For each format a table of its parameters, and one of its entries in the catalogue."""
    for name in names:
        yield _parameters(FORMATS[name])
        yield _entries(name)


def outcomes(decoder: str, simulator: str, tests: Sequence[Outcome]) -> Table:
    """How the tests of a bench went, one a line; those that differ only in their parameters are counted together."""
    table = Table(title=f"{decoder}, {simulator}", title_justify="left")
    for column in ("test", "passed", "failed", "simulated µs", "s"):
        table.add_column(column, justify="left" if column == "test" else "right", no_wrap=True)
    groups: dict[str, list[Outcome]] = {}
    for test in tests:
        groups.setdefault(_short(test.name).partition("/")[0], []).append(test)
    for name, group in groups.items():
        passed = sum(test.passed for test in group)
        simulated, seconds = sum(test.simulated_ns for test in group) / 1000, sum(test.seconds for test in group)
        table.add_row(name.replace("_", " "), str(passed), str(len(group) - passed), f"{simulated:,.1f}", f"{seconds:.1f}")
    failed = [f"{_short(test.name)}: {test.message}" for test in tests if not test.passed]
    table.caption, table.caption_justify = escape("\n".join(failed[:8])) or None, "left"
    return table


def _parameters(kind: type[Parameters]) -> Table:
    said = described(kind)
    table = Table(title=f"{kind.format}: parameters", title_justify="left")
    for column in ("parameter", "default", "meaning"):
        table.add_column(column, no_wrap=column != "meaning")
    for f in sorted(dataclasses.fields(kind), key=lambda f: f.name in {"name", "count_bits", "skid"}):
        default = "required" if f.default is dataclasses.MISSING else "from the values" if f.name == "name" else str(f.default)
        table.add_row(f.name, default, escape(said.get(f.name, "")))
    return table


def _entries(name: str) -> Table:
    table = Table(title=f"{name}: catalogue", title_justify="left", caption=f"{DEFAULTS[name].name} is the default", caption_justify="left")
    table.add_column("name", no_wrap=True)
    table.add_column("elements per cycle", justify="right")
    table.add_column("latency, cycles", justify="right")
    table.add_column("parameters that differ from their default")
    for parameters in CATALOG.values():
        if parameters.format == name:
            table.add_row(parameters.name, str(parameters.rate), str(parameters.latency), _set(parameters))
    return table


def _short(name: str) -> str:
    """The *name* of a test, and of what it was called with, without that of its module."""
    test, slash, values = name.partition("/")
    return test.rpartition(".")[2] + slash + values


def _set(parameters: Parameters) -> str:
    given = [(f.name, getattr(parameters, f.name), f.default) for f in dataclasses.fields(parameters) if f.name != "name"]
    texts = [f"{name}={f'({len(value)})' if isinstance(value, tuple) else value}" for name, value, default in given if value != default]
    return " ".join(texts)
