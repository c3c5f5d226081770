"""Matrices for any decoder, drawn at random: well formed as the encoders make them, and damaged element by element."""

import importlib
import itertools
import random
import warnings
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from golden.bits import Element
from golden.params.base import Parameters, Port
from sim.player import Session, golden
from unprune.encode.base import Levels, Tile
from unprune.streams import shares as shares_of

Shares: TypeAlias = dict[str, list[Element | None]]

POOL = 400  # well-formed matrices, of which all others are made
PER_SESSION = 40
LARGE_BITS = 16  # of the numbers in the shapes of the largest matrices
MOST_REFUSED = 1000  # matrices in a row that an encoder cannot take
STALLS = ((0, 1), (0, 1), (64, 1), (128, 1), (200, 1), (128, 7), (64, 20))


class _RefusedError(ValueError):
    """The encoder cannot take what was drawn: more rows or columns, or more different values, than the decoder's ports can tell."""


def tiles(parameters: Parameters, generator: random.Random) -> Iterator[tuple[Tile, Levels]]:
    """Tiles without end as the format's encoder makes them, of no weight to some beats, of every density and shape; and their levels."""
    bits = min(parameters.output.fields[-1].bits, 16)
    usual = max(6 * parameters.rate + 8, 31)  # all counts where they have five bits
    refused = 0
    while True:
        most = min(usual * generator.choice([1] * 11 + [8]), (1 << parameters.count_bits) - 1)  # seldom long, for blocks and counters
        rows, columns = generator.choice([0, 1, 1, 2, 3, generator.randrange(9)]), generator.randrange(most + 1)
        columns = columns // rows if rows else columns
        seed, density = generator.getrandbits(64), generator.choice([0, 0.05, 0.2, 0.5, 0.8, 1])
        try:
            encoded = _encoded(parameters, rows, columns, density, seed, bits)
        except _RefusedError as error:
            refused += 1
            if refused > MOST_REFUSED:
                raise RuntimeError(f"{parameters.name}: the encoder takes nothing: {error}") from error
            continue
        refused = 0
        yield from encoded


def _encoded(
    parameters: Parameters, rows: int, columns: int, density: float, seed: int, bits: int, *, zeros: bool = True
) -> list[tuple[Tile, Levels]]:
    """The tiles of a layer, drawn at random, and the levels of each, of so many *bits*; none that is kept is 0 but with *zeros*."""
    encoder = importlib.import_module(f"unprune.encode.{parameters.format}")
    draw = np.random.default_rng(seed)
    weights = draw.standard_normal((rows, columns))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of densities that a format cannot have
        mask = encoder.choose(weights, density, parameters)
    drawn = draw.integers(-(1 << bits - 1), 1 << bits - 1, (rows, columns))
    levels = np.where(mask.kept, drawn if zeros else np.minimum(drawn, -1), 0)
    try:
        encoded = list(encoder.encode(levels, mask, parameters))
    except ValueError as error:
        raise _RefusedError(str(error)) from error
    ends = itertools.accumulate(tile.weights for tile in encoded)
    return [(tile, levels.reshape(-1)[end - tile.weights : end]) for tile, end in zip(encoded, ends, strict=True)]


def largest(parameters: Parameters) -> Session:
    """Matrices that promise as many as the shape can tell, and one less: with nothing in their streams, so that zeros come out, and of
    rows, columns and counts well-formed ones too, dense and sparse. Of wider numbers those of :data:`LARGE_BITS`: golden would take minutes
    for more. What a decoder only counts off, missing survivors or rows without columns, takes as many cycles in silence.
    """
    matrices: list[Shares] = []
    fields = parameters.shape.fields
    for place, field in enumerate(fields):
        for less, density in ((1, 1), (2, 0.01)):
            most = (1 << min(field.bits, LARGE_BITS)) - less
            numbers = [most if number == place else 1 for number in range(len(fields))]
            matrices.append({port.name: [] for port in parameters.inputs} | {"shape": [tuple(numbers) if len(fields) > 1 else most]})
            sides = {"rows": (most, 1), "columns": (1, most), "groups": (1, most * getattr(parameters, "group", 1)), "count": (1, most)}
            if field.name in sides:
                matrices += [shares_of(tile) for tile, _ in _encoded(parameters, *sides[field.name], density, most, 1, zeros=False)]
    return Session(matrices, [(0, 1)] * (2 + len(parameters.inputs)), patience=2 << LARGE_BITS)


def round_trips(parameters: Parameters, count: int, seed: int) -> int:
    """Of *count* tiles those that do not come back: golden finds an error in them, or other levels are rebuilt from what it decodes."""
    encoder = importlib.import_module(f"unprune.encode.{parameters.format}")
    lost = 0
    for tile, levels in itertools.islice(tiles(parameters, random.Random(f"{parameters.digest} {seed}")), count):
        decoded = golden(shares_of(tile), parameters)
        elements = np.array(decoded.elements, np.uint64 if parameters.output.lane_bytes <= 8 else object)
        lost += bool(decoded.error) or not np.array_equal(encoder.rebuild(elements, tile, parameters), levels)
    return lost


def damage(shares: Shares, other: Shares, parameters: Parameters, generator: random.Random) -> Shares:
    """*shares* with up to three things wrong: elements lost, put in, changed, repeated or swapped, a share of *other*, another shape."""
    damaged = {name: list(share) for name, share in shares.items()}
    for _ in range(generator.choice([1, 1, 1, 2, 3])):
        port = generator.choice([parameters.shape, *parameters.inputs, *parameters.inputs])
        share = damaged[port.name]
        if port == parameters.shape:
            share[0] = _other_shape(share[0], parameters, generator)
            continue
        start = generator.randrange(len(share) + 1)
        end = start + generator.choice([0, 1, port.lanes, len(share)])
        much = generator.choice([1, 1, 1, 2, 2, port.lanes, port.lanes, 3 * port.lanes, 3 * port.lanes, 16 * port.lanes])
        new = [generator.choice([None, _random(port, generator)]) for _ in range(much)]
        how = generator.randrange(10)
        if how == 0:
            share[start:] = []
        elif how == 1:
            share[start:end] = []
        elif how == 2:
            share[start:start] = new
        elif how == 3:
            share[start:end] = new
        elif how == 4:
            share += new
        elif how == 5:
            share[start:start] = [None] * generator.randrange(1, 4)
        elif how == 6 and start < len(share):
            share[start] = _changed(share[start], port, generator)
        elif how == 7:
            damaged[port.name] = list(other[port.name])
        elif how == 8:
            share[start : start + 2] = share[start : start + 2][::-1]
        elif how == 9:
            share[start:start] = share[start : start + 1]
    return damaged


def _random(port: Port, generator: random.Random) -> Element:
    numbers = tuple(generator.choice([0, generator.getrandbits(f.bits), (1 << f.bits) - 1]) for f in port.fields)
    return numbers if len(numbers) > 1 else numbers[0]


def _changed(element: Element | None, port: Port, generator: random.Random) -> Element:
    """*element* with a bit flipped, or one more or less, in one of its numbers."""
    if element is None:
        return _random(port, generator)
    numbers = list(element) if isinstance(element, tuple) else [element]
    place = generator.randrange(len(numbers))
    bits, number = port.fields[place].bits, numbers[place]
    numbers[place] = generator.choice([number ^ 1 << generator.randrange(bits), number + 1, number - 1]) % (1 << bits)
    return tuple(numbers) if isinstance(element, tuple) else numbers[0]


def _other_shape(element: Element | None, parameters: Parameters, generator: random.Random) -> Element:
    """A shape that promises a little more or less, nothing, or something else; seldom a lot."""
    numbers = list(element) if isinstance(element, tuple) else [element or 0]
    place = generator.randrange(len(numbers))
    lanes, most = parameters.rate, (1 << parameters.shape.fields[place].bits) - 1
    new = [numbers[place] + step for step in (1, -1, lanes, -lanes, 2 * lanes)] + [0, 0, generator.randrange(4 * lanes + 1)]
    if generator.random() < 0.005:
        new = [2000 // len(numbers), 9999 if len(numbers) == 1 else 90]
    numbers[place] = min(max(generator.choice(new), 0), most)
    return tuple(numbers) if isinstance(element, tuple) else numbers[0]


def sessions(parameters: Parameters, seed: int, *, damaged: float = 0.5) -> Iterator[Session]:
    """Sessions without end of :data:`PER_SESSION` matrices each, of which a part of *damaged* is.

    Every port stalls in its own way, none in a fifth of all sessions, and in another fifth a reset comes in the midst.
    """
    generator = random.Random(f"{parameters.digest} {seed}")
    source = (shares_of(tile) for tile, _ in tiles(parameters, generator))
    pool = list(itertools.islice(source, POOL))
    zeros = (0,) * len(parameters.shape.fields)
    empty: Shares = {port.name: [] for port in parameters.inputs}
    empty["shape"] = [zeros if len(zeros) > 1 else 0]
    empty = empty if not golden(empty, parameters).error else pool[0]
    ports = 2 + len(parameters.inputs)
    while True:
        matrices: list[Shares] = []
        pool[generator.randrange(POOL)] = next(source)
        for _ in range(PER_SESSION):
            one = generator.choice(pool) if generator.random() < 0.9 else empty
            if matrices and generator.random() < 0.1:
                matrices.append(matrices[-1])  # the same error twice
                continue
            matrices.append(damage(one, generator.choice(pool), parameters, generator) if generator.random() < damaged else one)
        quiet = generator.random() < 0.2
        stalls = [(0, 1) if quiet else generator.choice(STALLS) for _ in range(ports)]
        cut = generator.randrange(1, 400) if generator.random() < 0.2 else 0
        yield Session(matrices, stalls, generator.getrandbits(32), cut)
