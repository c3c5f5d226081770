"""Encoded tiles as the files that the simulator plays, and what the simulator wrote back as elements.

A folder of streams holds for tile 0, 1, ... the file ``NNNN.npz``: for each input port of the decoder an array named like it (uint8, beats
x bytes of ``tdata``), for every port but ``shape`` also ``PORT_keep`` (0 or 1 a byte), and ``survivors`` where values travel beside
the decoder. The simulator adds ``NNNN.out.npz`` (``tdata``, ``tkeep``, ``tuser``). See :mod:`sim.bench_stream`. All carry a checksum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.bits import Element, to_beats
from golden.decoded import Decoded
from golden.params.base import Parameters, Port
from hdl.files import read_npz, write_npz
from unprune.encode.base import Tile

Bytes = NDArray[np.uint8]
NUMBER_BYTES = 8  # a field up to so many bytes is a numpy integer, a wider one a Python integer


@dataclass(frozen=True)
class Played:
    """What came out of a decoder for one tile.

    Attributes:
        data: ``tdata``, uint8, (beats, bytes).
        keep: ``tkeep``, 0 or 1 a byte, (beats, bytes).
        user: ``tuser``, uint8, one a beat.
    """

    data: Bytes
    keep: Bytes
    user: Bytes


def pack(port: Port, elements: NDArray[Any]) -> tuple[Bytes, Bytes]:
    """Cut *elements* into beats of *port*: ``tdata`` and ``tkeep``, both uint8 (beats, bytes), just as :func:`golden.bits.to_beats`.

    Args:
        elements: Unsigned integers, (n,) for a port of one field, (n, fields) else; a field of more than 64 bits as Python integers in an
            object array. None at all gives one beat without data.

    Raises:
        ValueError: The elements have not as many fields as the port, or a number is wider than its field.
    """
    columns = elements.reshape(len(elements), -1) if elements.size else np.zeros((0, len(port.fields)), np.uint64)
    if columns.shape[1] != len(port.fields):
        raise ValueError(f"an element of {port.name} must have {len(port.fields)} fields, had {columns.shape[1]}")
    beats = max(1, -(-len(columns) // port.lanes))
    data, keep = np.zeros((2, beats * port.lanes, port.lane_bytes), np.uint8)
    start = 0
    for number, one in enumerate(port.fields):
        column = columns[:, number]
        if len(column) and int(column.max()) >> one.bits:
            raise ValueError(f"{port.name}.{one.name} must be below 2**{one.bits}, was {int(column.max())}")
        data[: len(columns), start : start + one.bytes] = _to_bytes(column, one.bytes)
        start += one.bytes
    keep[: len(columns)] = 1
    return data.reshape(beats, -1), keep.reshape(beats, -1)


def unpack(port: Port, data: Bytes, keep: Bytes) -> NDArray[Any]:
    """The elements in the kept lanes of these beats: what :func:`pack` was given, as uint64, or Python integers for wider fields."""
    lanes = data.reshape(-1, port.lane_bytes)[keep.reshape(-1, port.lane_bytes)[:, 0] != 0]
    columns, start = [], 0
    for one in port.fields:
        columns.append(_to_numbers(lanes[:, start : start + one.bytes]))
        start += one.bytes
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def write_tile(folder: Path, number: int, tile: Tile, parameters: Parameters) -> None:
    """Write *tile* as ``NNNN.npz`` into *folder*."""
    arrays: dict[str, NDArray[Any]] = {}
    for port in (parameters.shape, *parameters.inputs):
        arrays[port.name], keep = pack(port, tile.streams[port.name])
        if port.framed:
            arrays[f"{port.name}_keep"] = keep
    if tile.survivors is not None:
        arrays["survivors"] = tile.survivors
    write_npz(_path(folder, number), arrays)


def read_tile(folder: Path, number: int, weights: int, parameters: Parameters) -> Tile:
    """The tile of *weights* weights that :func:`write_tile` wrote.

    Raises:
        hdl.files.DamagedFileError: It is not as it was written.
    """
    arrays = read_npz(_path(folder, number))
    streams = {}
    for port in (parameters.shape, *parameters.inputs):
        data = arrays[port.name]
        streams[port.name] = unpack(port, data, arrays[f"{port.name}_keep"] if port.framed else np.ones_like(data))
    return Tile(weights, streams, arrays.get("survivors"))


def read_played(folder: Path, number: int) -> Played:
    """What the simulator wrote for a tile.

    Raises:
        FileNotFoundError: It has not been simulated.
        hdl.files.DamagedFileError: It is not as it was written.
    """
    arrays = read_npz(_path(folder, number).with_suffix(".out.npz"))
    return Played(arrays["tdata"], arrays["tkeep"], arrays["tuser"])


def shares(tile: Tile) -> dict[str, list[Element | None]]:
    """The tile's streams as :mod:`golden` takes them: Python integers, or tuples of them."""
    return {name: [*map(tuple, elements.tolist())] if elements.ndim > 1 else elements.tolist() for name, elements in tile.streams.items()}


def differing_beats(played: Played, decoded: Decoded, port: Port) -> tuple[int, int]:
    """How many beats golden's answer *decoded* has, and how many of them the decoder's output *played* has not just so.

    A beat is its ``tdata``, its ``tkeep`` and, for the last one, its ``tuser``; a beat too many or too few counts as one that differs.
    """
    beats = list(to_beats(port, decoded.elements, decoded.row))
    data, keep = (np.frombuffer(b"".join(parts), np.uint8).reshape(-1, port.beat_bytes) for parts in zip(*beats, strict=True))
    common = min(len(beats), len(played.data))
    differ = (data[:common] != played.data[:common]).any(axis=1) | (keep[:common] != played.keep[:common]).any(axis=1)
    if common and int(played.user[common - 1]) != decoded.error:
        differ[common - 1] = True
    return len(beats), int(differ.sum()) + abs(len(beats) - len(played.data))


def describe(parameters: Parameters, tiles: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What ``streams/tiles.json`` holds: which weights of which layer each file is, and what the arrays mean."""
    ports = [port.name for port in (parameters.shape, *parameters.inputs)]
    return {
        "decoder": parameters.name,
        "files": "NNNN.npz went in, NNNN.out.npz came out of the simulated Verilog; each is one matrix, played back to back in this order",
        "arrays": f"{', '.join(ports)}: tdata, uint8, beats x bytes; NAME_keep: tkeep, 0 or 1 a byte; survivors: values beside the decoder",
        "tiles": tiles,
    }


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:04}.npz"


def _to_bytes(numbers: NDArray[Any], size: int) -> Bytes:
    """(n,) numbers as (n, size) bytes, the lowest first."""
    if size > NUMBER_BYTES:
        return np.frombuffer(b"".join(int(number).to_bytes(size, "little") for number in numbers), np.uint8).reshape(-1, size)
    return np.ascontiguousarray(numbers, dtype="<u8").view(np.uint8).reshape(-1, NUMBER_BYTES)[:, :size]


def _to_numbers(rows: Bytes) -> NDArray[Any]:
    """(n, size) bytes, the lowest first, as (n,) numbers."""
    size = rows.shape[1]
    if size > NUMBER_BYTES:
        flat = rows.tobytes()
        return np.array([int.from_bytes(flat[start : start + size], "little") for start in range(0, len(flat), size)], dtype=object)
    wide = np.zeros((len(rows), NUMBER_BYTES), np.uint8)
    wide[:, :size] = rows
    return wide.view("<u8")[:, 0].astype(np.uint64)
