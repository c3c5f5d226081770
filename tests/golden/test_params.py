"""Parameters: checked once, named, digested, and the same after a trip through JSON."""

import dataclasses
import re
from typing import Any

import pytest

from golden.catalog import CATALOG, DEFAULTS, FORMATS, from_dict, from_json
from golden.params.base import Field, Parameters, Port
from golden.params.viterbi import ViterbiParameters

GOOD: dict[str, Any] = {"k": 3, "q": 2, "taps": (0b1001, 0b1011), "block_steps": 8}
entries = pytest.mark.parametrize("parameters", CATALOG.values(), ids=CATALOG.keys())


@entries
def test_json_gives_back_what_it_was_made_of(parameters: Parameters) -> None:
    again = from_json(parameters.to_json())
    assert (again, again.name, again.digest) == (parameters, parameters.name, parameters.digest)


@entries
def test_ports_have_names_of_their_own_and_hold_whole_bytes(parameters: Parameters) -> None:
    ports = (parameters.shape, *parameters.inputs, parameters.output)
    assert len({port.name for port in ports}) == len(ports)
    assert not parameters.shape.framed
    assert parameters.output.user_bits
    assert max(parameters.errors) < 1 << parameters.output.user_bits
    assert parameters.latency >= 1
    assert parameters.rate >= 1


def test_every_format_has_a_default_which_is_its_first_entry() -> None:
    assert list(DEFAULTS) != []
    assert set(DEFAULTS) == set(FORMATS)
    for name, parameters in DEFAULTS.items():
        assert parameters is next(p for p in CATALOG.values() if p.format == name)


def test_catalogue_holds_no_set_twice() -> None:
    assert len({parameters.digest for parameters in CATALOG.values()}) == len(CATALOG)


def test_name_says_the_values_and_ends_with_the_digest() -> None:
    parameters = ViterbiParameters(**GOOD)
    assert parameters.name == f"viterbi_k3_p1_q2_n1_{parameters.digest[:6]}"


def test_digest_moves_with_every_value_and_not_with_the_name() -> None:
    parameters = ViterbiParameters(**GOOD)
    assert ViterbiParameters(**GOOD, name="an_other").digest == parameters.digest
    changes: list[dict[str, Any]] = [{"taps": (0b1011, 0b1001)}, {"block_steps": 4}, {"count_bits": 8}, {"skid": True}, {"pipeline": True}]
    assert len({ViterbiParameters(**GOOD | change).digest for change in changes} | {parameters.digest}) == len(changes) + 1


def test_parameters_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ViterbiParameters(**GOOD).k = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0}, "k must be between 1 and 24, was 0"),
        ({"p": 9}, "p must be between 1 and 8, was 9"),
        ({"q": 257}, "q must be between 1 and 256, was 257"),
        ({"q": 3}, "the number of taps must be q * c = 3, was 2"),
        ({"taps": (0b1001, 0)}, "taps[1] must be between 1 and 15, was 0"),
        ({"taps": (0b1001, 0b10000)}, "taps[1] must be between 1 and 15, was 16"),
        ({"comparator": 9}, "comparator must be between 1 and 8, was 9"),
        ({"threshold": 2}, "threshold must be between 1 and 1, was 2"),
        ({"comparator": 1, "threshold": 0}, "threshold must be between 1 and 1, was 0"),
        ({"steps": 3}, "block_steps must be a multiple of steps (3), was 8"),
        ({"count_bits": 33}, "count_bits must be between 2 and 32, was 33"),
        *(
            ({"name": name}, f"name must be a Verilog identifier of lower-case letters, digits and at least one underscore, was {name!r}")
            for name in ("9_lives", "module", "always_ff", "Two_words", "a_" * 40, "two words", "semi_;colon")
        ),
    ],
)
def test_value_out_of_range_is_refused_with_what_it_must_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ViterbiParameters(**GOOD | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 3.0}, "k must be an integer, was 3.0"),
        ({"k": True}, "k must be an integer, was True"),
        ({"taps": [0b1001, 0b1011]}, "taps must be a tuple of integers, was [9, 11]"),
        ({"pipeline": 1}, "pipeline must be True or False, was 1"),
        ({"skid": "yes"}, "skid must be True or False, was 'yes'"),
    ],
)
def test_value_of_the_wrong_kind_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        ViterbiParameters(**GOOD | change)


def test_unknown_format_and_unknown_parameter_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^format must be one of .*viterbi.*, was 'zip'$"):
        from_dict({"format": "zip"})
    with pytest.raises(ValueError, match=r"^a parameter of viterbi must be one of .*, was 'lanes'$"):
        from_dict({"format": "viterbi", "lanes": 1, **GOOD})


def test_what_is_no_set_of_parameters_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^parameters must be a JSON object, was \[\]$"):
        from_json("[]")
    with pytest.raises(ValueError, match=r"^format must be one of .*, was \['viterbi'\]$"):
        from_json('{"format": ["viterbi"]}')
    with pytest.raises(ValueError, match=r"^the parameters of viterbi must be given with k, q, was \['taps'\]$"):
        from_dict({"format": "viterbi", "taps": [1]})
    with pytest.raises(TypeError, match=r"^name must be a string, was 3$"):
        ViterbiParameters(**GOOD, name=3)  # type: ignore[arg-type]


def test_port_counts_its_bytes() -> None:
    port = Port("survivor", (Field("row", 9), Field("value", 8)), lanes=4)
    assert (port.lane_bytes, port.beat_bytes) == (3, 12)
