"""The command ``unprune``; what it does are functions of :mod:`unprune.flow`, :mod:`hdl.emit`, :mod:`sim.run` and :mod:`synth.sweep`.

Exit codes: 0 good; 1 a check failed, or a tool is missing or failed; 2 the input or the command line is wrong; 130 interrupted.
"""

import os
import shlex
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from golden.catalog import CATALOG, FORMATS
from hdl.cache import ToolMissing
from hdl.emit import emit
from hdl.files import write_json
from hdl.yowasp import ToolError
from sim import tools
from sim.run import SimulationFailed, simulate
from synth import sweep
from synth.targets import TARGETS
from unprune import flow, listing, report, settings
from unprune.outcome import Result
from unprune.progress import Steps
from unprune.roundtrip import LEVEL_BITS
from unprune.verify import signoff
from unprune.verify.checks import CHECKS

app = typer.Typer(
    name="unprune", no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False,
    help="Verilog decompressors for pruned neural networks: prune, encode, generate, simulate, synthesise.",
)

Formats = Annotated[
    list[str] | None,
    typer.Option("--format", help="Format to use; repeat for several. Default: all, of the demo four.", metavar="FORMAT"),
]
Names = Annotated[
    list[str] | None, typer.Option("--parameters", help="Decoder to use, by its name in the catalogue; repeat for several.", metavar="NAME")
]
Density = Annotated[float, typer.Option("--density", help="Share of the weights that survives, 0 to 1.")]
Simulator = Annotated[str, typer.Option("--simulator", help="verilator or icarus.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"unprune {package_version('unprune')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """Options before the command."""


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.")] = Path("out/demo"),
    format: Formats = None, parameters: Names = None, density: Density = 0.1,
    every: Annotated[bool, typer.Option("--all", help="All formats; a few minutes more, the first time.")] = False,
) -> None:
    """The whole job on a network that ships: handwritten digits, four formats or those you name, test accuracy at the end."""
    designs = settings.designs(format or (() if every or parameters else settings.DEMO), parameters)
    with Steps(_progress_console()) as steps:
        result = flow.demo(output, designs, density=density, watch=steps.part, command=_command())
    _show(result, output)


@app.command()
def run(
    model: Annotated[Path, typer.Argument(help="The network: .npz (each 2-D or 4-D array a layer) or .npy (one layer).", metavar="MODEL")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.")] = Path("out/run"),
    format: Formats = None, parameters: Names = None, density: Density = 0.1,
    layer: Annotated[
        list[str] | None, typer.Option("--layer", help="A density for one layer; LAYER=skip leaves it as it is.", metavar="LAYER=DENSITY")
    ] = None,
    bits: Annotated[int, typer.Option("--bits", help="Width of the quantised weights, 2 to 16.")] = LEVEL_BITS,
    simulator: Simulator = "verilator",
) -> None:
    """The whole job on your own network: prune, encode, simulate every weight through the Verilog, compare, synthesise."""
    designs = settings.designs(format, parameters)
    layers = settings.densities(layer or ())
    with Steps(_progress_console()) as steps:
        result = flow.run(
            model, output, designs, density=density, layers=layers, bits=bits, simulator=simulator, watch=steps.part, command=_command()
        )
    _show(result, output)


@app.command()
def generate(
    decoder: Annotated[str, typer.Argument(help="A name of the catalogue, or a format.", metavar="NAME|FORMAT")],
    set: Annotated[list[str] | None, typer.Option("--set", help="A parameter; repeat for several.", metavar="KEY=VALUE")] = None,
    weights: Annotated[
        int | None, typer.Option("--weights", help="The format's decoder of so many dense weights a beat.", metavar="LANES")
    ] = None,
    sparse: Annotated[bool, typer.Option("--sparse", help="Its sparse view: position and value of each weight that is not 0.")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")] = Path("out/generate"),
) -> None:
    """Verilog alone: NAME.sv, and NAME.json with ports, parameters, latency and rate."""
    path = emit(settings.configured(decoder, set or (), weights, sparse), output)
    print(path)
    print(path.with_suffix(".json"))


@app.command(name="simulate")
def simulate_command(
    name: Annotated[str, typer.Argument(help="A name of the catalogue.", metavar="NAME")], simulator: Simulator = "verilator",
) -> None:
    """Hold a decoder to the contract: its bench under stalls, malformed streams and resets, against the golden model."""
    parameters = settings.entry(name)
    tools.check(simulator)
    folder = Path(tempfile.mkdtemp(prefix="unprune-"))
    console = Console()
    try:
        with _progress_console().status(f"simulating {name}"):
            simulated = simulate(parameters, f"bench_{parameters.format}", folder=folder, simulator=simulator)
    except SimulationFailed as failure:  # its log stays
        if failure.outcomes:
            console.print(listing.outcomes(name, simulator, failure.outcomes))
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    console.print(listing.outcomes(name, simulator, simulated.outcomes))


@app.command()
def synth(
    names: Annotated[list[str] | None, typer.Argument(help="Names of the catalogue; all where none is given.", metavar="NAME")] = None,
    target: Annotated[list[str] | None, typer.Option("--target", help=f"{', '.join(TARGETS)}; repeat for several. Default: all.")] = None,
    clock: Annotated[bool, typer.Option("--clock", help="Place and route too, for the clock rate on ECP5.")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="File for the figures as JSON.")] = Path("out/synth.json"),
) -> None:
    """What decoders cost: LUTs, flip-flops, gates, logic levels and clock rate."""
    designs = [settings.entry(name) for name in names or CATALOG]
    with _progress_console().status("synthesising") as status:

        def done(name: str) -> None:
            status.update(f"synthesising, {name} done")

        costs = sweep.sweep(designs, target or tuple(TARGETS), clock=clock, progress=done)
    Console().print(sweep.table(costs))
    output.parent.mkdir(parents=True, exist_ok=True)
    rows = [one for cost in costs for one in cost.to_rows()]
    write_json(output, {"versions": flow.versions(), "rows": rows})


@app.command()
def verify(
    format: Annotated[list[str] | None, typer.Argument(help="Formats; all where none is given.", metavar="FORMAT")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help=f"{', '.join(CHECKS)}; repeat for several. Default: all.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Everything at its full count, on every decoder: about an hour.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", help="Checks at a time, -1 for one a core.")] = -1,
    output: Annotated[Path, typer.Option("-o", "--output", help="File for the rows; a page goes beside it.")] = Path("out/verify.json"),
    write: Annotated[Path | None, typer.Option("--write", help="Put the table into this page, between its markers.")] = None,
) -> None:
    """The evidence: simulation, faults, proofs, gates, mutants and coverage of every format, as one table.

    What the file of rows holds already stays in the table, where it is of the same extent, tools and source.
    """
    for name, known, given in (("format", list(FORMATS), format), ("--only", list(CHECKS), only)):
        unknown = sorted(set(given or ()) - set(known))
        if unknown:
            raise ValueError(f"{name} must be one of {', '.join(known)}, was {unknown[0]!r}")
    chosen, names = format or list(FORMATS), only or list(CHECKS)
    if write:
        if not full:
            raise ValueError("--write puts figures in full into the page: give --full too")
        signoff.parts(write)
    rows = {row["name"]: row for row in signoff.earlier(output, full=full, versions=flow.versions())}
    with _progress_console().status(f"0 of {len(chosen) * len(names)} checks done") as status:
        for number, row in enumerate(signoff.signoff(chosen, names, full=full, jobs=jobs), start=1):
            rows[row["name"]] = row
            signoff.write(list(rows.values()), output, full=full, versions=flow.versions())
            status.update(f"{number} of {len(chosen) * len(names)} checks done, {row['name']} last")
    Console().print(signoff.table(list(rows.values())))
    print(output.with_suffix(".html"))
    if write:
        signoff.write_page(write, list(rows.values()))
    if not all(row["met"] for row in rows.values()):
        raise typer.Exit(1)


@app.command()
def formats(format: Annotated[str | None, typer.Argument(help="Only this one.", metavar="FORMAT")] = None) -> None:
    """What there is: every format with its parameters, and the catalogue."""
    if format is not None and format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, was {format!r}")
    for table in listing.formats([format] if format else list(FORMATS)):
        Console().print(table)


def _show(result: Result, output: Path) -> None:
    Console().print(report.summary(result))
    print(f"{output / 'index.html'}  ({result.seconds:.0f} s)")


def _progress_console() -> Console:
    return Console(stderr=True)


def _command() -> str:
    return shlex.join(["unprune", *(argument for argument in _arguments if argument != "--debug")])


_arguments: list[str] = []  # of this call of main, for reports to quote


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments* (default: this process's) and give the exit code; an error is one line on standard error."""
    _arguments[:] = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in _arguments
    signal.signal(signal.SIGTERM, _terminated)
    warnings.showwarning = _show_warning
    try:
        code = app(args=["--debug"] * debug + [one for one in _arguments if one != "--debug"], prog_name="unprune", standalone_mode=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at exit
        return 1
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as error:
        if debug:
            raise
        said, code = _explained(error)
        if said:
            print(f"unprune: {said}", file=sys.stderr)
        return code
    if code == 130:
        print("unprune: interrupted, nothing was written", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _explained(error: Exception) -> tuple[str, int]:
    """The one line that says what is wrong, and the exit code."""
    usage: Any = getattr(error, "format_message", None)  # what typer raises for a command line
    if usage is not None:
        what = usage().rstrip(".")  # nothing where the help was shown in place of a missing command
        return f"{what}; see unprune --help" if what else "", 2
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ToolMissing | ToolError | SimulationFailed | flow.DecoderDiffersError):
        return said, 1
    if isinstance(error, ValueError | TypeError | OSError):
        return said, 2
    return f"{type(error).__name__}: {said}; run with --debug and report it", 1


def _show_warning(message: Warning | str, category: type[Warning], *_where: object, **_how: object) -> None:
    """A warning of ours as one line without the place in the source; those of other packages are not for users."""
    if category is UserWarning:
        print(f"unprune: note: {message}", file=sys.stderr)


def _terminated(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
