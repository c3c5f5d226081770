"""How the coordinate decoder's registers stand to its model: what makes the proof inductive."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Value

from golden.params.coo import CooParameters
from hdl.properties.invariants import Invariants
from hdl.properties.model import Phase
from hdl.properties.spec import Internals


class CooInvariants(Invariants):
    """Of the checker, and, where what it gives are the output beats, of these; *model* is that of the survivors."""

    p: CooParameters

    def __init__(self, m: Module, model: Any, internals: Internals) -> None:
        super().__init__(m, model, internals)
        self.reads = model.phase == Phase.READ
        self.begun = self.reads & model.begun

    def _get(self, name: str) -> Any:
        return super()._get(f"checker.{name}")

    @property
    def staged(self) -> tuple[Value, Value, Value]:
        """Of the survivor that is compared: whether there is one, whether it is given as zero, and what its position and value are then."""
        zero = self._get("zero")
        return self._get("valid"), zero, Mux(zero, 0, Cat(self._get("staged_position"), self._get("staged_value")))

    def hold(self) -> None:
        self.checked()
        full, _, entry = self.staged
        last = self._get("staged_last")
        self._owed([
            ("survivor register", self._get("survivor__valid"), self._get("survivor__payload")),
            ("staged survivor", full, Cat(entry, ~self._get("staged_empty"), last, Mux(last, self._get("error"), 0))),
        ])

    def checked(self) -> None:
        """Assert what does not depend on what becomes of the survivors."""
        self._held()
        self._matrix()
        self._errors()

    def _held(self) -> None:
        """The entry that waits, and what is dropped."""
        m, entries, over = self.m, self.model.streams["entry"], self.model.over
        full, kept, last = (self._get(f"intake.{name}") for name in ("valid", "held_kept", "held_last"))
        beat = entries.entry0
        self._must((entries.level == 0) | beat.keep | beat.last, "there is something in an entry")
        self._must(self.reads | (self.model.phase == Phase.DROP), "the phase")
        with m.If(self.reads):
            self._must((entries.level == 0) | ~over, "nothing waits behind the last entry")
            self._must(full == (over | (entries.level != 0)), "an entry is held")
            self._must(~self._get("intake.drain"), "nothing is dropped")
        with m.Else():
            self._must(~over, "there are entries left to drop")
            self._must(~full, "no entry is held while entries are dropped")
            self._must(self._get("intake.drain") == ~((entries.level != 0) & beat.last), "entries are dropped up to the last")
        with m.If(full & over):
            self._must(~kept & last, "an entry is missing")
        with m.If(full & ~over):
            self._must((kept == beat.keep) & (last == beat.last), "of the entry what is kept")
            self._must(self._get("intake.held_number") == Value.cast(beat.data), "the entry")

    def _matrix(self) -> None:
        """The shape of the matrix at hand, and its survivors that are left."""
        m, model, active, shapes = self.m, self.model, self._get("active"), self.model.shapes
        self._must(shapes.level == active + ~self.reads, "as many shapes wait")
        for waits, shape in ((self.reads, shapes.entry0), (~self.reads, shapes.entry1)):
            with m.If(active & waits):
                left = Mux(self.begun, model.left, shape.survivors)
                self._must(self._get("following") == left - 2, "the survivors that follow")
                self._must(self._get("matrix_count") == shape.count, "the weights")
                self._must(self._get("matrix_empty") == (shape.survivors == 0), "a matrix without survivors")
                self._must(self._get("matrix_started") == self.begun, "the matrix has begun")
        self._must(~self.begun | active, "what has begun is at work")
        self._must(~self.begun | (model.left != 0) & (shapes.entry0.survivors != 0), "a matrix that has begun has survivors left")
        self._must(self.begun | ~self.reads | ~model.over & (model.first == 0), "nothing is known of a matrix that has not begun")

    def _errors(self) -> None:
        """The survivor that is compared, and the first error."""
        m, model = self.m, self.model
        full, zero, _ = self.staged
        failed, code, error = (self._get(name) for name in ("failed", "code", "error"))
        last, empty, void = (self._get(f"staged_{name}") for name in ("last", "empty", "void"))
        self._must(~failed | (code != 0), "what has failed has an error")
        with m.If(full):
            self._must(last == ~self.begun, "the last survivor")
            self._must(last | ~empty, "what is no survivor is the last")
            self._must(void == (empty | self._get("staged_short") | self._get("staged_long")), "there is no survivor")
            self._must(empty | (zero == (error != 0)), "what is wrong is zero")
            self._must(~self._get("staged_first") | ~failed, "a matrix begins without error")
        with m.If(self.begun):
            self._must(model.first == Mux(full, error, Mux(failed, code, 0)), "the first error")
            self._must((model.first != 0) | (self._get("staged_position") == model.before), "the position of the entry before")
            self._must(full | (zero == (model.first != 0)), "what was staged last was right")
        with m.Else():
            self._must(full | ~failed, "there is no error between matrices")
