"""How far a job is: bars on a terminal, one line a step elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from unprune.roundtrip import Progress as Report

STEPS = {
    "choose": "choosing the mask", "encode": "encoding", "simulate": "simulating the Verilog", "check": "comparing with the golden model",
    "synthesise": "waiting for the figures",
}


class Steps:
    """Shows the parts of a job on *console* (standard error, so that tables can be piped); used as a ``with`` block.

    ``steps.part(name)`` is the progress of that part: called with a step, how much is done and how much there is.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (TextColumn("{task.fields[part]}"), BarColumn(bar_width=28), TextColumn("{task.description}"), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def part(self, name: str) -> Report:
        """The progress of the part *name*, whose bar starts now."""
        if not self._console.is_terminal:
            return self._lines(name)
        task = self._bars.add_task("starting", part=name, total=None)

        def report(step: str, done: int, total: int) -> None:
            self._bars.update(task, description=STEPS[step], completed=done, total=max(total, 1))

        return report

    def _lines(self, name: str) -> Report:
        shown = ""

        def report(step: str, _done: int, _total: int) -> None:
            nonlocal shown
            if step != shown:
                shown = step
                self._console.print(f"{name}: {STEPS[step]}", highlight=False, soft_wrap=True)

        return report
