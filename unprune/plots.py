"""The plots of the report: matplotlib drawings as SVG text that takes its colours from the page, so that it fits light and dark."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unprune.outcome import Outcome

# Stand-ins that matplotlib can draw with; in the SVG each becomes the page's own colour of that name.
INK, SOFT, LINE, INDEX, VALUE, FLOOR = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
_NAMES = {INK: "ink", SOFT: "soft", LINE: "line", INDEX: "index", VALUE: "value", FLOOR: "floor"}
_STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "unprune", "font.family": "sans-serif", "font.size": 10, "text.color": INK,
    "axes.edgecolor": LINE, "axes.labelcolor": SOFT, "xtick.color": SOFT, "ytick.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "grid.color": LINE, "grid.linewidth": 0.6, "axes.axisbelow": True,
}
_WIDTH = 6.4  # inches; the page scales it


def bits_per_weight(outcomes: Sequence[Outcome]) -> str:
    """Index and value bits per weight of each format as stacked bars, the entropy floor as a tick."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(1.0 + 0.45 * len(outcomes))
        names = [one.parameters.format for one in outcomes]
        index, value = ([getattr(one, part) for one in outcomes] for part in ("index_bits_per_weight", "value_bits_per_weight"))
        axes.barh(names, index, color=INDEX, height=0.5, label="index")
        axes.barh(names, value, left=index, color=VALUE, height=0.5, label="values")
        for y, one in enumerate(outcomes):
            axes.plot([one.floor] * 2, [y - 0.36, y + 0.36], color=FLOOR, linewidth=2.2, label="" if y else "entropy floor")
            end = max(one.bits_per_weight, one.floor)
            axes.annotate(f"{one.bits_per_weight:.3f}", (end, y), (7, 0), textcoords="offset points", va="center")
        _horizontal(axes, "bits per weight")
        axes.set_xlim(0, 1.14 * max(max(one.bits_per_weight, one.floor) for one in outcomes) or 1)
        axes.legend(loc="lower left", ncols=3, frameon=False, bbox_to_anchor=(0, 1.0), borderpad=0, borderaxespad=0.2)
        return _svg(figure)


def accuracies(references: dict[str, float], outcomes: Sequence[Outcome]) -> str:
    """Test accuracy of the network as it was and as each format gave it back: bars over a scale that starts well above 0, and says so."""
    measured = references | {f"rebuilt from {one.parameters.format}": one.accuracy for one in outcomes if one.accuracy is not None}
    low = max(0, 5 * int((100 * min(measured.values()) - 3) // 5))
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(0.7 + 0.36 * len(measured))
        for name, share in measured.items():
            axes.barh(name, 100 * share - low, left=low, height=0.5, color=VALUE if name in references else INDEX)
            axes.annotate(f"{100 * share:.1f} %", (100 * share, name), (6, 0), textcoords="offset points", va="center")
        _horizontal(axes, f"test accuracy, %; the scale starts at {low} %" if low else "test accuracy, %")
        axes.set_xlim(low, 100 + 0.06 * (100 - low))
        return _svg(figure)


def area_against_rate(outcomes: Sequence[Outcome]) -> str:
    """Each decoder's weights per second against its look-up tables, both on ECP5."""
    known = [(one, one.cost.figures["ecp5"].lut, one.weights_per_second / 1e9) for one in outcomes if one.cost and one.weights_per_second]
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(5.9)
        for one, lut, rate in known:
            axes.plot(lut, rate, "o", color=INDEX, markersize=9)
            axes.annotate(one.parameters.name, (lut, rate), (9, 5), textcoords="offset points")
        axes.set_xlabel("look-up tables (LUT4) on ECP5")
        axes.set_ylabel("10⁹ weights per second")
        axes.tick_params(axis="y", labelcolor=SOFT, length=0)
        axes.grid(visible=True)
        axes.set_xlim(0, 1.45 * max((lut for _, lut, _ in known), default=1))
        axes.set_ylim(0, 1.25 * max((rate for _, _, rate in known), default=1))
        return _svg(figure)


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def _horizontal(axes: Axes, label: str) -> None:
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _svg(figure: Figure) -> str:
    """The drawing without XML prologue, size and date, its stand-in colours replaced."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None}, bbox_inches="tight", pad_inches=0.05)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*" ([^>]*?)width="[^"]*"', r"<svg \1\2", text, count=1)
    return re.sub("|".join(_NAMES), lambda found: f"var(--{_NAMES[found[0]]})", text)
