"""The experiment's tables, as Markdown between the markers of a page, as text on the console and as rows of JSON."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.page import show
from benchmarks.plan import NETWORKS, PAPER, Code, Method, Run
from benchmarks.storage import Storage, saving
from hdl.files import write_json

SHOWN = {"dense": "none (dense)", "magnitude": "magnitude", "random": "random"}
BAR = 0.001  # accuracy that Viterbi may lose against magnitude pruning


@dataclass(frozen=True)
class Result:
    """What one run gave.

    Attributes:
        test, valid: Share of images right, after retraining.
        survivors: Of all pruned layers.
        index_bits: Of the Viterbi index; 0 for other methods.
        kept: Sum of magnitudes that the first mask keeps of the dense network, over the most that as many survivors per layer can keep.
        storage: Of magnitude pruning's mask at the same density.
        seconds: Wall time.
    """

    run: Run
    test: float
    valid: float
    survivors: int
    index_bits: int
    kept: float
    storage: Storage
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """All but the run, in JSON types."""
        values = dataclasses.asdict(self)
        del values["run"]
        return values

    @classmethod
    def from_dict(cls, run: Run, values: Mapping[str, Any]) -> Self:
        """What :meth:`to_dict` wrote."""
        cost = values["storage"] | {"relative": {int(bits): size for bits, size in values["storage"]["relative"].items()}}
        return cls(run, **{**values, "storage": Storage(**cost)})


@dataclass(frozen=True)
class Row:
    """A method on a network, over its seeds; *wanted* seeds are planned."""

    network: str
    method: Method
    results: tuple[Result, ...]
    wanted: int

    @property
    def missing(self) -> int:
        """Seeds not finished yet."""
        return self.wanted - len(self.results)

    @property
    def spread(self) -> float:
        """Standard deviation of the accuracy over seeds; 0 for one."""
        return statistics.stdev(r.test for r in self.results) if len(self.results) > 1 else 0.0

    @property
    def accuracy(self) -> float:
        """Mean over seeds, on the test images."""
        return statistics.fmean(r.test for r in self.results)

    @property
    def valid(self) -> float:
        """Mean over seeds, on the validation images."""
        return statistics.fmean(r.valid for r in self.results)

    @property
    def bits(self) -> float:
        """Index bits per survivor: the Viterbi index, or 16-bit column indices."""
        return statistics.fmean((r.index_bits or 16 * r.survivors) / r.survivors for r in self.results)


def rows(runs: Sequence[Run], results: Mapping[Run, Result]) -> list[Row]:
    """One row for each network and method, in the order of the plan, also where nothing is finished yet."""
    groups: dict[tuple[str, Method], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.network, run.method), []).append(run)
    return [Row(*key, tuple(results[run] for run in group if run in results), len(group)) for key, group in groups.items()]


def headline(found: Sequence[Row]) -> list[list[str]]:
    """The paper's two percentages and the accuracy beside magnitude pruning's."""
    table = [["network", "index bits / survivor", "against CSR, columns only (paper: -85.2 %)", "with row pointers",
              "against 5-bit relative, no fillers (paper: -52.7 %)", "with fillers",
              "accuracy against magnitude, points", "the same on validation images"]]  # fmt: skip
    for row in found:
        if row.results and row.method == Method("viterbi", PAPER, Code(8, 5, 3)):
            cost, bits = row.results[0].storage, row.results[0].index_bits
            base = _magnitude(row, found)
            savings = [saving(bits, of) for of in (cost.columns, cost.csr, 5 * cost.survivors, cost.relative[5])]
            table.append([row.network, f"{row.bits:.2f}", *(f"-{100 * s:.1f} %" for s in savings),
                          _points(row, base), _points(row, base, "valid")])
    return table


def accuracies(found: Sequence[Row], network: str) -> list[list[str]]:
    """All methods on one network."""
    table = [["density", "mask", "gain", "chosen", "index bits / survivor", "16-bit CSR", "relative 4 / 5 / 8 bits", "kept magnitude",
              "accuracy, mean ± spread", "against magnitude, points", "validation"]]  # fmt: skip
    mine = sorted((row for row in found if row.network == network), key=lambda row: -row.method.density)
    for row in mine:
        method = row.method
        start = ["" if method.kind == "dense" else f"{100 * method.density:.2f} %", str(method.code) if method.code else SHOWN[method.kind],
                 method.gain if method.code else "", f"anew, {method.rechoose} epochs" if method.rechoose else "once"]  # fmt: skip
        table.append([*start, *_figures(row, found)])
    return table


def _figures(row: Row, found: Sequence[Row]) -> list[str]:
    if not row.results:
        return ["not run yet", "", "", "", "", "", ""]
    accuracy = f"{100 * row.accuracy:.2f} ± {100 * row.spread:.2f} %" + (f" ({len(row.results)} of {row.wanted})" if row.missing else "")
    valid = f"{100 * row.valid:.2f} %"
    if row.method.kind == "dense":
        return ["", "", "", "", accuracy, "", valid]
    first = row.results[0]
    kept = f"{statistics.fmean(r.kept for r in row.results):.3f}"
    against = "" if row.method.kind == "magnitude" and not row.method.rechoose else _points(row, _magnitude(row, found))
    if not first.index_bits:
        per = [size / first.storage.survivors for size in (first.storage.csr, *first.storage.relative.values())]
        return ["", f"{per[0]:.1f}", " / ".join(f"{p:.2f}" for p in per[1:]), kept, accuracy, against, valid]
    savings = [100 * saving(first.index_bits, of) for of in (first.storage.csr, *first.storage.relative.values())]
    return [f"{row.bits:.2f}", _less(savings[0]), " / ".join(_less(s) for s in savings[1:]), kept, accuracy, against, valid]


def _magnitude(row: Row, found: Sequence[Row]) -> Row | None:
    """The row to compare *row* with: magnitude pruning at the same density on the same network, its mask chosen once."""
    wanted = Method("magnitude", row.method.density)
    return next((other for other in found if other.network == row.network and other.method == wanted and other.results), None)


def _points(row: Row, base: Row | None, of: str = "accuracy") -> str:
    return f"{100 * (getattr(row, of) - getattr(base, of)):+.2f}" if base else "?"


def _less(percent: float) -> str:
    return f"{-percent:+.1f} %"


def as_json(found: Sequence[Row]) -> list[dict[str, Any]]:
    """Name, value, unit, bar and met of each figure; bars only for the paper's code."""
    out: list[dict[str, Any]] = []
    for row in found:
        if not row.results:
            continue
        method = row.method
        name = f"{row.network}, {method.kind} {method.code or ''} {method.gain} {method.density:g} rechoose {method.rechoose}"
        base, cost = _magnitude(row, found), row.results[0].storage
        out.append({"name": f"accuracy: {name}", "value": row.accuracy, "unit": "", "bar": None, "met": None})
        if method == Method("viterbi", PAPER, Code(8, 5, 3)) and base:
            values = [("loss against magnitude", base.accuracy - row.accuracy, BAR, False),
                      ("index saved against CSR", saving(row.results[0].index_bits, cost.columns), 0.852, True),
                      ("index saved against 5-bit relative", saving(row.results[0].index_bits, 5 * cost.survivors), 0.527, True)]
            for what, value, bar, more in values:
                met = value >= bar if more else value <= bar
                out.append({"name": f"{what}: {name}", "value": value, "unit": "", "bar": bar, "met": met})
    return out


def write(page: Path | None, found: Sequence[Row], data: Path) -> None:
    """Print the tables; save them as JSON beside the folder *data*; replace what stands between the markers of *page*.

    Raises:
        ValueError: *page* lacks the markers of a table.
    """
    named = {"headline": headline(found)} | {network: accuracies(found, network) for network in NETWORKS}
    named = {name: table for name, table in named.items() if len(table) > 1}
    write_json(data.with_suffix(".json"), {"rows": as_json(found)})
    show(named, page)
