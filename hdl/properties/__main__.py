"""Prove everything: ``python -m hdl.properties`` prints a table, writes the rows as JSON, and exits 1 where a claim fails.

Every module of this package that has a function ``claims() -> list[Claim]`` takes part.
"""

import argparse
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import hdl.properties
from hdl import yowasp
from hdl.files import write_json
from hdl.properties.claims import Claim
from hdl.properties.prove import Proof

JOBS = 2  # solvers at a time; each holds one core
Row = dict[str, Any]


def all_claims() -> list[Claim]:
    """The claims of all modules of this package."""
    names = sorted(module.name for module in pkgutil.iter_modules(hdl.properties.__path__) if module.name != "__main__")
    modules = [importlib.import_module(f"hdl.properties.{name}") for name in names]
    return [claim for module in modules if hasattr(module, "claims") for claim in module.claims()]


def check_all(
    claims: Sequence[Claim], *, folder: Path, solver: str = "yices", jobs: int = JOBS, progress: Callable[[Row], None] | None = None
) -> list[Row]:
    """Put *claims* to the solver, *jobs* at a time, and give their rows in the same order; *progress* is called with each row at once.

    Counterexamples are kept below *folder*, one folder a claim.
    """
    rows: dict[int, Row] = {}
    with ThreadPoolExecutor(min(jobs, JOBS)) as pool:
        running = {pool.submit(claim.check, folder / re.sub(r"\W+", "_", claim.name), solver): i for i, claim in enumerate(claims)}
        try:
            for done in as_completed(running):
                i = running[done]
                rows[i] = _row(claims[i], *done.result())
                if progress:
                    progress(rows[i])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [rows[i] for i in range(len(claims))]


def _row(claim: Claim, met: bool, proof: Proof) -> Row:
    holds = {"prove": "proven", "pdr": "proven", "bmc": "holds", "sat": "holds", "cover": "reached"}[claim.mode]
    return {
        "name": claim.name, "value": holds if proof.passed else "fails", "unit": "", "bar": "fails" if claim.rejects else holds, "met": met,
        "design": claim.design, "what": claim.what, "broken": bool(claim.rejects), "mode": claim.mode, "depth": claim.depth,
        "properties": proof.properties, "seconds": round(proof.seconds, 1), "message": proof.message, "trace": str(proof.trace or ""),
    }


def table(rows: Iterable[Row]) -> Table:
    """*rows* for reading; what is broken on purpose stands under what is sound."""
    how = "prove: for ever, by k-induction, k = depth; pdr: for ever, by reachability; bmc, sat and cover: within depth cycles of reset"
    made = Table(title="Proofs", caption=how)
    for title in ("design", "claim", "mode"):
        made.add_column(title)
    for title in ("depth", "properties", "s"):
        made.add_column(title, justify="right")
    made.add_column("result")
    for row in sorted(rows, key=lambda row: row["broken"]):
        value = ("caught" if row["met"] else "NOT CAUGHT") if row["broken"] else row["value"]
        verdict = f"[green]{value}[/]" if row["met"] else f"[red]{value}: {row['message'] or 'it holds'}[/]"
        what = f"broken: {row['what']}" if row["broken"] else row["what"]
        made.add_row(row["design"], what, row["mode"], str(row["depth"]), str(row["properties"]), f"{row['seconds']:.1f}", verdict)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this package; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hdl.properties", description="Prove the properties of all designs.")
    parser.add_argument("--only", default="", metavar="TEXT", help="claims whose name (design, mode, what) holds TEXT")
    parser.add_argument("--solver", choices=("yices", "z3"), default="yices")
    parser.add_argument("--jobs", type=int, choices=range(1, JOBS + 1), default=JOBS, help="proofs at a time (default %(default)s)")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/prove.json"), help="where the rows go as JSON (default %(default)s)")
    chosen = parser.parse_args(arguments)
    claims = [claim for claim in all_claims() if chosen.only in claim.name]
    if not claims:
        parser.error(f"--only must be part of a claim's name, was {chosen.only!r}")
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("proving", total=len(claims))
        rows = check_all(
            claims, folder=chosen.output.parent / "traces", solver=chosen.solver, jobs=chosen.jobs,
            progress=lambda row: bar.update(task, advance=1, description=row["name"]),
        )
    console.print(table(rows))
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    tools = {"yosys": yowasp.version("yosys"), "solver": chosen.solver}
    write_json(chosen.output, {"tools": tools, "rows": rows})
    failed = [row for row in rows if not row["met"]]
    for row in failed:
        console.print(f"{row['name']}: {row['message'] or 'a broken design passed'} {row['trace']}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
