"""The paper's result on real networks: ``python -m benchmarks.experiment --write docs/experiment.md``.

Prunes LeNet-300-100 and LeNet-5 by several methods, retrains them with the masks, and puts accuracy beside the storage of the index. Every
finished run is a file in ``out/experiment``; an interrupted experiment goes on where it was, and the tables can be written at any time.
Needs the extra ``torch`` and the data (see :mod:`benchmarks.lenet`); without either it says so and does nothing.
"""

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.plan import plan
from benchmarks.tables import rows, write

CACHE = Path("out/experiment")


def main(
    data: Annotated[Path | None, typer.Option(help="folder with the networks and MNIST; none: $UNPRUNE_DATA or ../shared/data")] = None,
    cache: Annotated[Path, typer.Option(help="where finished runs are kept")] = CACHE,
    page: Annotated[Path | None, typer.Option("--write", help="page whose tables to write")] = None,
    tables: Annotated[bool, typer.Option("--tables", help="run nothing, only write the tables of what is finished")] = False,
    network: Annotated[str | None, typer.Option(help="do only the runs of this network; several can run side by side")] = None,
) -> None:
    """Do what is missing of the experiment, then print and write its tables."""

    def say(text: str) -> None:
        typer.echo(text, err=True)

    if importlib.util.find_spec("torch") is None:
        say("skipped: the experiment trains with PyTorch, which is not installed; pip install -e '.[torch]'")
        return
    import torch

    from benchmarks import lenet, runs

    data = data or lenet.DATA
    if not tables and (absent := lenet.missing(data)):
        say(f"skipped: {data} has no {', '.join(absent)}; name the folder with --data or UNPRUNE_DATA")
        return
    torch.set_num_threads(1)
    cache.mkdir(parents=True, exist_ok=True)
    chosen, wanted = runs.schedules(), plan()
    done = runs.finished(wanted, cache, chosen)
    say(f"{len(done)} of {len(wanted)} runs are finished already")
    try:
        if not tables:
            networks = runs.Networks(data, cache, chosen.dense, say)
            todo = [run for run in wanted if run not in done and network in (None, run.network)]
            runs.work(todo, networks, chosen, cache, say)
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from here")
    write(page, rows(wanted, runs.finished(wanted, cache, chosen)), cache)


if __name__ == "__main__":
    typer.run(main)
