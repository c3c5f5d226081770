"""Parameters of the group decoder."""

import dataclasses
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from golden.params.base import Field, Parameters, Port, check, check_range
from golden.params.csr import CsrError, CsrParameters


@dataclass(frozen=True, kw_only=True)
class GroupParameters(Parameters):
    """A CSR decoder of groups: *group* consecutive columns survive together or not at all, with one index for all of them; weights out.

    Source: Yu et al., "Scalpel: customizing DNN pruning to the underlying hardware parallelism", ISCA 2017 (SIMD-aware weight pruning).

    ``count_bits`` is the width of the number of surviving groups and of the row pointers: a matrix has at most 2**count_bits - 1 of them.

    Attributes:
        group: Weights of a group, 2, 4, 8 or 16; a row is a whole number of groups.
        value_bits: Width of a value and so of a weight; a group is 64 bits at most.
        row_bits: Width of row numbers, 1 to 32. A matrix has at most 2**row_bits - 1 rows.
        column_bits: Width of the numbers of groups, 1 to 32. A row has at most 2**column_bits - 1 groups.
        lanes: Weights a beat, a power of two from *group* to 256.
    """

    format: ClassVar[str] = "group"
    errors: ClassVar[type[enum.IntEnum]] = CsrError
    dense: ClassVar[bool] = True  # all weights are given, zeros included

    group: int = 4
    value_bits: int = 8
    row_bits: int = 16
    column_bits: int = 14
    lanes: int = 8

    def _check(self) -> None:
        check_range("group", self.group, 2, 16)
        check(self.group.bit_count() == 1, "group", "a power of two", self.group)
        check_range("value_bits", self.value_bits, 1, 64 // self.group)
        check_range("row_bits", self.row_bits, 1, 32)
        check_range("column_bits", self.column_bits, 1, 32)
        check_range("lanes", self.lanes, self.group, 256)
        check(self.lanes.bit_count() == 1, "lanes", "a power of two", self.lanes)
        most = self.group << self.column_bits
        check(self.lanes < most, "lanes", f"below group * 2**column_bits = {most}", self.lanes)

    def _slug(self) -> str:
        return f"group_g{self.group}_v{self.value_bits}_r{self.row_bits}_c{self.column_bits}_n{self.lanes}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """Each row starts a new beat. Groups of fewer weights where there are not lanes for four."""
        return cls(**{"lanes": lanes, "group": min(lanes, cls.group)} | values)

    @cached_property
    def of(self) -> CsrParameters:
        """The decoder of dense rows inside, to which a group is one number, its first weight in the lowest bits."""
        return CsrParameters(
            row_bits=self.row_bits, column_bits=self.column_bits, value_bits=self.group * self.value_bits, count_bits=self.count_bits,
            dense=True, lanes=self.lanes // self.group,
        )  # fmt: skip

    @property
    def shape(self) -> Port:
        """Three fields: the number of rows, of groups in a row and of surviving groups."""
        names = ("rows", "groups", "survivors")
        fields = tuple(dataclasses.replace(one, name=name) for name, one in zip(names, self.of.shape.fields, strict=True))
        return dataclasses.replace(self.of.shape, fields=fields)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``pointer``: rows + 1 row pointers; ``column`` and ``value``: of each surviving group its number in the row and its weights."""
        pointer, column, value = self.of.inputs
        fields = tuple(Field(f"value{number}", self.value_bits) for number in range(self.group))
        return pointer, column, dataclasses.replace(value, fields=fields)

    @property
    def output(self) -> Port:
        """``weight``: *lanes* weights of one row a beat."""
        return dataclasses.replace(self.of.output, fields=(Field("weight", self.value_bits),), lanes=self.lanes)

    @property
    def rows_apart(self) -> bool:
        """As CSR's dense rows."""
        return True

    def weights_of(self, shape: Sequence[int]) -> int:
        """Those of all groups, so that those that fill up the rows are counted too."""
        return self.of.weights_of(shape) * self.group

    @property
    def latency(self) -> int:
        """That of CSR's dense rows: from the row pointer that ends a group's row to the beat that the group completes; 1 for *skid*."""
        return self.of.latency + self.skid
