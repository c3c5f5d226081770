"""The evidence of ``unprune verify``: it is gathered as it says, and what is wrong is found."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from amaranth.lib import wiring

from golden.bits import Element
from golden.catalog import CATALOG, DEFAULTS, FORMATS
from hdl.emit import verilog
from hdl.files import write_json
from hdl.properties.claims import Claim
from hdl.properties.prove import Mode
from sim import player
from unprune import cli
from unprune.verify import checks, coverage, fuzz, mutants, signoff

TINY = CATALOG["nm_2_4_tiny"]


@pytest.mark.parametrize("format", FORMATS)
def test_tiles_of_every_decoder_come_back_from_golden(format: str) -> None:
    row = checks.check(format, "golden", False)
    assert row["met"], row["message"]


@pytest.mark.parametrize("format", FORMATS)
def test_sessions_hold_every_error_and_good_matrices(format: str) -> None:
    p = checks.small(format)[0] if checks.small(format) else DEFAULTS[format]
    matrices = [shares for session in itertools.islice(fuzz.sessions(p, 1), 150) for shares in session.matrices]
    codes = [player.golden(shares, p).error for shares in matrices]
    assert set(codes) == {error.value for error in p.errors}
    assert codes.count(0) > len(codes) / 3


def test_sessions_depend_on_the_seed_and_on_nothing_else() -> None:
    one, same, other = (player.to_bytes(next(fuzz.sessions(TINY, seed)), TINY) for seed in (1, 1, 2))
    assert one == same != other


def test_damage_leaves_every_element_within_its_field() -> None:
    for format in FORMATS:
        p = DEFAULTS[format]
        for session in itertools.islice(fuzz.sessions(p, 3), 3):
            for port in (p.shape, *p.inputs):
                for share in (shares[port.name] for shares in session.matrices):
                    assert all(_fits(element, [f.bits for f in port.fields]) for element in share)


def _fits(element: Element | None, bits: list[int]) -> bool:
    if element is None:
        return True
    numbers = element if isinstance(element, tuple) else (element,)
    return len(numbers) == len(bits) and all(0 <= number < 1 << width for number, width in zip(numbers, bits, strict=True))


def test_a_level_that_is_lost_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fuzz.round_trips(TINY, 30, 1) == 0
    sound = player.golden

    def wrong(shares: Any, parameters: Any) -> Any:
        decoded = sound(shares, parameters)
        return type(decoded)([1 - min(1, int(one)) for one in decoded.elements], decoded.error)

    monkeypatch.setattr(fuzz, "golden", wrong)
    assert fuzz.round_trips(TINY, 30, 1) > 10


@pytest.mark.parametrize("format", FORMATS)
def test_faults_of_every_format_are_played(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.DEFAULTS, format, checks.narrowest(format))  # which takes seconds to build
    row = checks.faults(format, False)
    assert row["value"] == row["bar"], row["message"]


def test_faults_are_played_and_a_wrong_decoder_is_told() -> None:
    played, codes = checks.play(TINY, verilog(TINY), 400, 0.7)
    assert played.wrong == ""
    assert played.matrices >= 400
    assert codes == {"SHORT", "LONG", "ORDER"}
    broken = verilog(TINY).replace("assign m_axis_weight_tlast = ", "assign m_axis_weight_tlast = 1'b1 | ")
    assert checks.play(TINY, broken, 40, 0.7)[0].wrong.startswith("tlast: ")


def test_mutants_are_killed_or_proven_to_be_none() -> None:
    found = mutants.hunt(TINY, 20, sessions=60)
    assert (found.total, found.surviving) == (20, ())
    assert found.wrong > 10


def test_a_mutant_that_nothing_notices_survives() -> None:
    found = mutants.hunt(TINY, 3, sessions=0)
    assert (found.wrong, found.late, found.total) == (0, 0, 3)
    assert found.surviving
    assert all(mutation.startswith("mutate -mode ") for mutation in found.surviving)


def test_coverage_tells_what_is_not_reached() -> None:
    none, some = (coverage.measure(TINY, sessions=sessions) for sessions in (0, 60))
    assert some.reached["line"] == some.points["line"] > none.reached["line"]
    assert {point.split()[0] for point in none.missed} == set(coverage.KINDS)
    assert len(none.missed) == sum(none.points.values()) - sum(none.reached.values())
    assert none.reached["user"] == 0
    assert any(point.endswith("// a good matrix after ORDER") for point in none.missed)
    points = ["toggle at_unused_sum[0]:0->1: wire", "line : x", "toggle i___05Fpayload__02eskip[12]:1->0: wire"]
    assert coverage.untoggled(points) == ["1 of what is unused", "i__payload.skip 12"]
    rows = [f"toggle rows[{row}][{bit}]:0->1: r" for row, bit in ((3, 17), (2, 17), (2, 4))]
    assert coverage.untoggled([*rows, "toggle w:0->1: w"]) == ["rows 4 17", "w"]


def test_a_claim_whose_cases_are_reached_counts_as_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    modes: tuple[Mode, ...] = ("prove", "pdr", "bmc", "cover", "bmc")
    claims = [Claim("", "", wiring.Component, mode, 1, rejects="tlast" * (number == 4)) for number, mode in enumerate(modes)]
    monkeypatch.setattr(checks, "_claims", lambda _: claims)
    monkeypatch.setattr(Claim, "check", lambda *_: (True, None))
    assert checks.proofs("nm", True)["text"] == "2 proven, 1 proven within a bound, 1 with all cases reached, 1 broken designs caught"
    del claims[:3]
    found = checks.check("nm", "proofs", True)
    assert (found["met"], found["message"]) == (False, "nothing is proven")


def test_a_property_module_that_cannot_be_imported_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> Any:
        raise ModuleNotFoundError(f"no module that {name} needs")

    monkeypatch.setattr(checks.importlib, "import_module", fails)
    found = checks.check("nm", "proofs", False)
    assert (found["met"], found["message"]) == (False, "no module that hdl.properties.nm needs")


def test_a_check_that_looked_at_too_little_is_not_met(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "play", lambda *_, **__: player.Played("", 5, 5, 5))
    found = checks.check("nm", "stalls", False)
    assert (found["met"], found["message"]) == (False, "nm_2_4: only 5 of 500 matrices came out")
    monkeypatch.setattr(mutants, "hunt", lambda *_: mutants.Mutants(19, 0, 0, 0, ()))
    found = checks.check("nm", "mutants", False)
    assert (found["met"], found["text"]) == (False, "19 mutants: 19 wrong, 0 late, 0 equivalent, 0 surviving")
    assert found["message"] == "less than 20 mutants of a decoder"
    monkeypatch.setattr(checks, "small", lambda _: [])
    assert [checks.check("nm", name, False)["met"] for name in ("gates", "mutants")] == [False, False]


def test_the_digest_is_of_the_decoders_and_the_provers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {name: checks.digest.__wrapped__(name) for name in ("gates", "proofs")}
    read = Path.read_bytes
    for changed in ("hdl/pdr.py", "hdl/nm.py", "sim/player.cpp"):
        monkeypatch.setattr(Path, "read_bytes", lambda path, changed=changed: read(path) + b" " * path.match(changed))
        assert all(checks.digest.__wrapped__(name) != digest for name, digest in digests.items())
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b" " * path.match("hdl/properties/nm.py"))
    assert [checks.digest.__wrapped__(name) == digest for name, digest in digests.items()] == [True, False]


def test_the_largest_shapes_are_played() -> None:
    shapes = [shares["shape"][0] for shares in fuzz.largest(CATALOG["csr_dense_tiny"]).matrices]
    assert {tuple(max(shape[place] for shape in shapes) for place in range(3))} == {(7, 7, 31)}
    assert {15, 14} <= {shares["shape"][0] for shares in fuzz.largest(TINY).matrices}
    played, _ = checks.play(TINY, verilog(TINY), 1, 0.7, largest=True)
    assert (played.wrong, played.matrices) == ("", checks.play(TINY, verilog(TINY), 1, 0.7)[0].matrices + len(fuzz.largest(TINY).matrices))


def row(**values: Any) -> checks.Row:
    made = {"name": "nm golden", "format": "nm", "check": "golden", "command": "unprune verify nm --only golden", "digest": "0"}
    return made | {"value": 0, "unit": "lost", "bar": 0, "text": "600 round trips", "message": "", "met": True, "seconds": 1.5} | values


def test_without_icarus_the_simulators_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.tools, "icarus_available", lambda: False)
    found = checks.check("nm", "simulators", False)
    assert (found["met"], found["text"]) == (False, "not done")
    assert found["message"].startswith("Icarus Verilog (iverilog and vvp) is missing: install it")


def test_simulators_that_differ_or_say_nothing_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checks.tools, "check", lambda _: None)
    said = {"icarus": "transfers 0123456789abcdef", "verilator": "transfers fedcba9876543210"}

    def simulated(*_: Any, simulator: str, **__: Any) -> Any:
        log = tmp_path / simulator
        log.write_text(said[simulator])
        return SimpleNamespace(outcomes=[0], log=log)

    monkeypatch.setattr(checks, "simulate_verilog", simulated)
    assert (checks.check("nm", "simulators", False)["met"], checks.simulators("nm", False)["message"]) == (False, "icarus")
    said["icarus"] = said["verilator"]
    assert checks.check("nm", "simulators", False)["met"]
    said |= dict.fromkeys(said, "")
    assert checks.check("nm", "simulators", False)["message"] == "icarus, verilator"


def test_rows_become_a_table_a_file_and_two_pages(tmp_path: Path) -> None:
    open_one = row(name="rlc faults", format="rlc", check="faults", value=1, met=False, text="9 matrices", message="tdata <wrong>")
    signoff.write([open_one, row()], tmp_path / "out" / "verify.json", full=True, versions={"yosys": "0.1"})
    written = json.loads((tmp_path / "out" / "verify.json").read_text())
    assert [one["name"] for one in written["rows"]] == ["nm golden", "rlc faults"]
    page = (tmp_path / "out" / "verify.html").read_text()
    assert "1 of 2 checks hold." in page
    assert "<code>unprune verify rlc --full</code>" in page
    assert "<code>--only faults</code>" in page
    assert "tdata &lt;wrong&gt;" in page
    assert "src=" not in page
    readme = tmp_path / "page.md"
    readme.write_text(f"before\n{signoff.START}\nbygone\n{signoff.END}\nafter\n")
    signoff.write_page(readme, [open_one, row()])
    assert "| nm | 600 round trips | - |\n| rlc | - | 9 matrices (OPEN) |\n" in readme.read_text()
    assert readme.read_text().startswith("before\n")
    assert readme.read_text().endswith("\nafter\n")
    assert "bygone" not in readme.read_text()
    readme.write_text("no markers\n")
    with pytest.raises(ValueError, match=r"page\.md must have the lines"):
        signoff.write_page(readme, [row()])


def test_a_check_that_cannot_be_done_is_open_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(format: str, full: bool) -> checks.Row:
        raise RuntimeError(f"no {format}\nhere {full}")

    monkeypatch.setitem(checks.CHECKS, "golden", fails)
    found = checks.check("nm", "golden", True)
    assert (found["met"], found["message"], found["command"]) == (False, "no nm here True", "unprune verify nm --only golden --full")


def test_the_command_prints_the_table_and_exits_1_where_a_check_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "verify.json"
    command = ["verify", "nm", "--only", "golden", "--jobs", "1", "-o", str(output)]
    assert cli.main(command) == 0
    assert "600 round trips" in capsys.readouterr().out
    (done,) = json.loads(output.read_text())["rows"]
    assert done["met"]
    assert cli.main(["verify", "rlc", *command[2:]]) == 0
    assert [one["name"] for one in json.loads(output.read_text())["rows"]] == ["nm golden", "rlc golden"]  # what was done before stays
    versions = json.loads(output.read_text())["versions"]
    assert signoff.earlier(output, full=True, versions=versions) == []
    assert len(signoff.earlier(output, full=False, versions=versions)) == 2
    assert signoff.earlier(output, full=False, versions=versions | {"python": "of another time"}) == []
    write_json(output, json.loads(output.read_text()) | {"rows": [done | {"digest": "of another source"}]})
    assert signoff.earlier(output, full=False, versions=versions) == []
    assert cli.main([*command, "--write", str(output)]) == 2
    assert "--write puts figures in full into the page: give --full too" in capsys.readouterr().err
    monkeypatch.setattr(checks.fuzz, "round_trips", lambda *_: 1)
    assert cli.main(command) == 1
    assert cli.main(["verify", "nothing"]) == 2
    assert capsys.readouterr().err == f"unprune: format must be one of {', '.join(FORMATS)}, was 'nothing'\n"
