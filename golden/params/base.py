"""What the parameters of every format share: checks, a name, a digest, JSON, and the streams that follow from them.

A parameter object is frozen and checked once, when it is made; everything downstream (model, hardware, bench, synthesis,
tests) takes the object and never repeats a width.
"""

import dataclasses
import enum
import functools
import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self


class Error(enum.IntEnum):
    """Error codes that every format shares; a format's own codes start at 3.

    The code of the first error of a matrix stands in ``tuser`` on the last beat of what a decoder gives for it.
    """

    NONE = 0
    SHORT = 1  # an encoded stream ended before the matrix was complete
    LONG = 2  # an encoded stream goes on after the matrix is complete


@dataclass(frozen=True)
class Field:
    """One number in a lane of a stream: its name and its width in bits."""

    name: str
    bits: int

    @functools.cached_property
    def bytes(self) -> int:
        """Bytes that the field takes in ``tdata``, where every field is padded to whole bytes."""
        return -(-self.bits // 8)


@dataclass(frozen=True)
class Port:
    """One AXI4-Stream port: *lanes* elements a beat, lane 0 lowest, each element one or more fields, first lowest.

    ``tkeep`` has one bit a byte and is the same for all bytes of a lane. ``tuser`` (*user_bits* wide) is present
    only on outputs. A share with nothing in it is one beat with ``tkeep`` 0 and ``tlast`` 1.
    """

    name: str
    fields: tuple[Field, ...]
    lanes: int = 1
    framed: bool = True  # has tkeep and tlast; the shape stream has neither
    user_bits: int = 0

    @functools.cached_property
    def lane_bytes(self) -> int:
        """Bytes of ``tdata`` that one lane takes."""
        return sum(f.bytes for f in self.fields)

    @functools.cached_property
    def beat_bytes(self) -> int:
        """Bytes of ``tdata`` in a beat."""
        return self.lane_bytes * self.lanes


def check(condition: bool, what: str, must: str, was: object) -> None:
    """Raise ``ValueError`` with "*what* must be *must*, was *was*" unless *condition* holds."""
    if not condition:
        raise ValueError(f"{what} must be {must}, was {was!r}")


def check_range(what: str, value: object, low: int, high: int) -> None:
    """Require an integer (``TypeError``) between *low* and *high*, both included (``ValueError``)."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be an integer, was {value!r}")
    check(low <= value <= high, what, f"between {low} and {high}", value)


# The keywords of SystemVerilog that have an underscore; every name must have one, so these are all that it could collide with.
_KEYWORDS = frozenset(
    "accept_on always_comb always_ff always_latch first_match pulsestyle_ondetect pulsestyle_onevent reject_on s_always s_eventually "  # noqa: SIM905
    "s_nexttime s_until s_until_with sync_accept_on sync_reject_on until_with wait_order".split()
)


@dataclass(frozen=True, kw_only=True)
class Parameters(ABC):
    """Base of all parameter sets.

    Attributes:
        name: Verilog name of the decoder, unique per set; left empty, it is made from the values and the digest.
        count_bits: Width of the element count in the shape, 2 to 32. A matrix has at most 2**count_bits - 1 elements.
        skid: True adds a skid buffer at the output that cuts the one combinational path left, from
            ``m_axis_*_tready`` to ``s_axis_*_tready``; it costs one beat of flip-flops and one cycle of latency.
    """

    format: ClassVar[str]
    errors: ClassVar[type[enum.IntEnum]] = Error
    view: ClassVar[bool] = False  # no encoding of its own: another way to give what another format's decoder gives

    name: str = field(default="", compare=False)
    count_bits: int = 24
    skid: bool = False

    def __post_init__(self) -> None:
        check_range("count_bits", self.count_bits, 2, 32)
        if not isinstance(self.skid, bool):
            raise TypeError(f"skid must be True or False, was {self.skid!r}")
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a string, was {self.name!r}")
        self._check()
        if not self.name:
            object.__setattr__(self, "name", f"{self._slug()}_{self.digest[:6]}")
        good = re.fullmatch(r"(?=[^_]*_)[a-z][a-z0-9_]{1,62}", self.name) and self.name not in _KEYWORDS
        check(bool(good), "name", "a Verilog identifier of lower-case letters, digits and at least one underscore", self.name)

    def __str__(self) -> str:
        return self.name

    @abstractmethod
    def _check(self) -> None:
        """Raise TypeError or ValueError for a value that no decoder can have."""

    @abstractmethod
    def _slug(self) -> str:
        """The readable part of the name."""

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:  # noqa: ARG003 - for those that can
        """The format's decoder of dense weights, *lanes* a beat on a port ``weight``: so a design can change its format and nothing else.

        Args:
            lanes: Weights a beat.
            values: Of other parameters, where they are not to be what suits that many lanes.

        Raises:
            ValueError: The format has no such decoder.
        """
        raise ValueError(f"{cls.format} has no decoder that gives {lanes} weights a beat")

    @property
    @abstractmethod
    def shape(self) -> Port:
        """The port on which one beat starts a matrix."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[Port, ...]:
        """The encoded streams, in the order in which they are documented."""

    @property
    @abstractmethod
    def output(self) -> Port:
        """The decoded stream."""

    @property
    @abstractmethod
    def latency(self) -> int:
        """Clock cycles from the edge that takes the beat which decides an output beat to the edge that can take that output beat."""

    @property
    def rate(self) -> int:
        """The most elements that the decoder gives per clock cycle."""
        return self.output.lanes

    @property
    def rows_apart(self) -> bool:
        """Whether each row of weights starts a new beat, so that beats in the midst of a matrix may be partial."""
        return False

    def weights_of(self, shape: Sequence[int]) -> int:
        """The number of weights that the decoder gives for a matrix of that *shape*, a number for each field of the port.

        Raises:
            ValueError: The shape does not say it.
        """
        check(len(self.shape.fields) == 1, "the decoder", "one that gives as many weights as its shape says", self.name)
        return shape[0]

    @property
    def digest(self) -> str:
        """SHA-256 of the values (not the name), as hex digits."""
        values = self.to_dict()
        del values["name"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The values under their names, and ``format``; plain JSON types only."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return {"format": self.format} | values

    def to_json(self) -> str:
        """The values as one line of JSON; :func:`golden.catalog.from_json` reads it back."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Parameters from the mapping that :meth:`to_dict` gives; unknown names are a ``ValueError``."""
        given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        given.pop("format", None)
        missing = [f.name for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING and f.name not in given]
        check(not missing, f"the parameters of {cls.format}", f"given with {', '.join(missing)}", sorted(given))
        cls.check_names(given)
        return cls(**given)

    @classmethod
    def check_names(cls, names: Iterable[str]) -> None:
        """Raise ``ValueError`` where one of *names* is not of a parameter."""
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(names) - known)
        check(not unknown, f"a parameter of {cls.format}", f"one of {', '.join(sorted(known))}", ", ".join(unknown))
