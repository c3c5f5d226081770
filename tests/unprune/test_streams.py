"""Tiles as the files that the simulator plays: the same bytes as golden's beats, read back unchanged."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import viterbi
from golden.bits import Element, to_beats
from golden.catalog import CATALOG
from golden.decoded import Decoded
from golden.params.base import Field, Port
from unprune import streams
from unprune.encode.base import Tile

PORTS = st.builds(
    lambda widths, lanes: Port("any", tuple(Field(f"f{number}", bits) for number, bits in enumerate(widths)), lanes),
    st.lists(st.sampled_from([1, 3, 8, 9, 16, 33, 63, 64, 65, 130]), min_size=1, max_size=3), st.integers(1, 5),
)


def as_array(port: Port, elements: list[tuple[int, ...]]) -> np.ndarray:
    wide = any(one.bits > 64 for one in port.fields)
    rows = np.array(elements, object if wide else np.uint64).reshape(len(elements), len(port.fields))
    return rows[:, 0] if len(port.fields) == 1 else rows


def as_golden(port: Port, elements: list[tuple[int, ...]]) -> list[Element]:
    return [element[0] if len(port.fields) == 1 else element for element in elements]


@given(st.data())
def test_packs_just_as_golden_cuts_into_beats_and_unpacks_again(data: st.DataObject) -> None:
    port = data.draw(PORTS)
    elements = data.draw(st.lists(st.tuples(*(st.integers(0, 2**one.bits - 1) for one in port.fields)), max_size=12))
    tdata, tkeep = streams.pack(port, as_array(port, elements))
    beats = list(to_beats(port, as_golden(port, elements)))
    assert [bytes(row) for row in tdata] == [beat[0] for beat in beats]
    assert [bytes(row) for row in tkeep] == [beat[1] for beat in beats]
    given_back = streams.unpack(port, tdata, tkeep)
    assert [tuple(row) for row in given_back.reshape(len(elements), len(port.fields)).tolist()] == elements


def test_a_number_wider_than_its_field_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^any\.f must be below 2\*\*3, was 8$"):
        streams.pack(Port("any", (Field("f", 3),)), np.array([7, 8]))


def test_elements_with_another_number_of_fields_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^an element of any must have 2 fields, had 3$"):
        streams.pack(Port("any", (Field("f", 3), Field("g", 3))), np.zeros((4, 3), np.uint8))


def test_a_tile_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    parameters = CATALOG["viterbi_k3q4"]
    tile = Tile(22, {"shape": np.array([22], np.uint64), "index": np.array([1, 0, 1, 1, 0, 1], np.uint64)}, np.array([-3, 5, 127], np.int8))
    streams.write_tile(tmp_path, 7, tile, parameters)
    read = streams.read_tile(tmp_path, 7, 22, parameters)
    assert [path.name for path in tmp_path.iterdir()] == ["0007.npz"]
    assert streams.shares(read) == {"shape": [22], "index": [1, 0, 1, 1, 0, 1]}
    assert read.survivors is not None
    assert read.survivors.tolist() == [-3, 5, 127]
    assert read.weights == 22


def test_fields_reach_golden_as_tuples() -> None:
    tile = Tile(1, {"shape": np.array([[1, 2, 3]], np.uint64), "index": np.zeros(0, np.uint64)})
    assert streams.shares(tile) == {"shape": [(1, 2, 3)], "index": []}


def played(parameters: Decoded, port: Port) -> streams.Played:
    beats = list(to_beats(port, parameters.elements, parameters.row))
    data, keep = (np.array([list(beat[part]) for beat in beats], np.uint8) for part in (0, 1))
    user = np.zeros(len(beats), np.uint8)
    user[-1] = parameters.error
    return streams.Played(data, keep, user)


def test_beats_that_differ_are_counted() -> None:
    parameters = CATALOG["viterbi_k3q4"]
    decoded = viterbi.decode({"shape": [22], "index": [1, 0, 1, 1, 0, 1]}, parameters)  # type: ignore[arg-type]
    good = played(decoded, parameters.output)
    assert streams.differing_beats(good, decoded, parameters.output) == (6, 0)
    data, keep, user = good.data.copy(), good.keep.copy(), good.user.copy()
    data[2, 0] ^= 1
    assert streams.differing_beats(streams.Played(data, keep, user), decoded, parameters.output) == (6, 1)
    keep[4] = 0
    assert streams.differing_beats(streams.Played(data, keep, user), decoded, parameters.output) == (6, 2)
    user[-1] = 1
    assert streams.differing_beats(streams.Played(data, keep, user), decoded, parameters.output) == (6, 3)
    short = streams.Played(good.data[:4], good.keep[:4], good.user[:4])
    assert streams.differing_beats(short, decoded, parameters.output) == (6, 2)
