"""The report: every figure with its unit, nothing from outside, and nothing that breaks where a figure is missing."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from golden.catalog import DEFAULTS
from synth.clock import Clock
from synth.cost import Cost
from synth.figures import Figures
from synth.targets import TARGETS
from unprune import report
from unprune.outcome import LayerFigures, Outcome, Result

VOID = {"meta", "link", "img", "br", "hr", "input", "path", "rect", "use"}


def outcome(format_name: str) -> Outcome:
    layer = LayerFigures("fc1.weight", (300, 64), 1920, 3, 3840, 15360, 9004.8, 13939.2, 83.9, 100.0)
    figures = {name: Figures(name, 411, 140, 0, 0, 1395.0 if name == "gates" else None, 5, {}) for name in TARGETS}
    name = DEFAULTS[format_name].name
    cost = Cost(name, figures, Clock(167.25, {1: 167.25}, "a to b"))
    rebuilt = {"fc1.weight": np.zeros((300, 64), np.float32)}
    return Outcome(DEFAULTS[format_name], (layer,), 480, 0, 0, 481, 0, rebuilt, {"check": 0.1}, 0.976, cost)


def result(*outcomes: Outcome, references: dict[str, float] | None = None) -> Result:
    given = outcomes or tuple(outcome(name) for name in DEFAULTS)
    named = {"dense": 0.98, "pruned by magnitude": 0.972} if references is None else references
    return Result("a <network> & more", "unprune demo -o 'my out'", given, named, ("fc2",), {"bias": "is 1-D"}, 8, 12.3, {"yosys": "0.70"})


class Page(HTMLParser):
    """Checks that tags are closed and collects what is referred to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.refers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.refers += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_refers_only_to_itself_and_its_own_folder() -> None:
    made = result()
    page = Page(report.page(made))
    assert page.open == []
    names = [one.parameters.name for one in made.outcomes]
    files = {"results.json"}
    for name in names:
        files |= {f"{name}/{file}" for file in (f"{name}.sv", f"{name}.json", "streams/tiles.json", "rebuilt.npz", "synthesis.json")}
    assert {one for one in page.refers if not one.startswith("#")} == files
    assert not re.search(r"url\((?!#)|@import|<script", report.page(made))


def test_the_page_holds_the_figures_the_command_and_the_versions() -> None:
    page = report.page(result())
    for text in ("1.000", "0.200 index", "2.00", "83.9", "39.92", "167", "411 / 140", "1,395 / 140", "97.6", "98.0", "97.2", "19,200"):
        assert text in page, text
    assert "yosys 0.70" in page
    assert "a &lt;network&gt; &amp; more" in page
    assert "unprune demo -o &#39;my out&#39;" in page
    assert "LUT / flip-flops" in page
    assert "None" not in re.sub(r"(comparator|word_bits)=None", "", page)


def test_plots_take_their_colours_from_the_page() -> None:
    page = report.page(result())
    assert not re.search(r"#0[1-6]0[1-6]0[1-6]", page)
    assert page.count("fill: var(--index)") >= len(DEFAULTS)


def test_the_same_result_gives_the_same_page() -> None:
    assert report.page(result()) == report.page(result())


def test_a_result_without_images_survivors_or_costs_still_gives_a_page() -> None:
    full = outcome("viterbi")
    nothing = dataclasses.replace(full.layers[0], survivors=0, value_bits=0, kept=0.0, most=0.0, mask_floor_bits=0.0, value_floor_bits=0.0)
    bare = dataclasses.replace(full, layers=(nothing,), accuracy=None, cost=None)
    page = report.page(result(bare, references={}))
    assert "Accuracy" not in page
    assert "Area and rate" not in page
    rows = dict(report.summary_rows([bare]))
    assert rows["index bits per survivor"] == rows["ECP5 clock, MHz"] == rows["Xilinx 7 series, LUT / FF"] == ["-"]
    assert rows["kept magnitude, %"] == ["100.0"]


def test_the_terminal_table_fits_eighty_columns_and_keeps_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=80).print(report.summary(result()))
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    assert printed.count("411 / 140") == 3 * len(DEFAULTS)
    assert "dense 98.0 %" in printed


def test_rows_have_name_value_unit_and_a_bar_where_there_is_a_goal() -> None:
    rows = result().to_rows()
    assert all(set(row) == {"name", "value", "unit", "bar", "met"} for row in rows)
    assert len({row["name"] for row in rows}) == len(rows)
    goals = [row for row in rows if row["bar"] is not None]
    assert len(goals) == 2 * len(DEFAULTS)
    assert all(row["met"] for row in goals)
    wrong = dataclasses.replace(outcome("viterbi"), differing_weights=4)
    met = {row["name"]: row["met"] for row in result(wrong).to_rows()}
    assert met[f"{wrong.parameters.name} weights that differ from what was encoded"] is False
