"""The N:M decoder behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; :class:`NmModel` is the definition.
"""

from itertools import pairwise
from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value

from golden.catalog import CATALOG
from golden.params.nm import NmError, NmParameters
from hdl.nm import NmDecoder
from hdl.properties.broken import broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.invariants import DECODE, DRAIN, PAD, Invariants
from hdl.properties.model import Model, Phase
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class NmModel(Model):
    """N:M by its definition: the oldest index beat and the oldest value beat are judged and decoded together.

    Members, beside those of every model:
        step: ``In``; the pair is decoded, or a beat of zeros is made.
        drop: ``In``; the oldest index beat (bit 0), value beat (bit 1) of a complete matrix is dropped.

    Attributes:
        over: The streams whose last beat is done with, index and value, once there was an error or the matrix is complete.
        code: Of the error that ended the decoding.
        good: The pair gives a beat.
    """

    parameters: NmParameters

    def __init__(self, parameters: NmParameters) -> None:
        super().__init__(parameters, shapes=1, held=1, room=1 + 2 * parameters.skid, hints={"step": 1, "drop": 2})
        self.over, self.code, self.good = Signal(2), Signal(NmError), Signal()

    @property
    def paired(self) -> Value:
        """1 where there is a pair to decode."""
        return (self.phase == Phase.READ) & Cat(q.level != 0 for q in (self.shapes, *self.streams.values())).all()

    def decode(self, m: Module) -> None:
        index, value = (queue.entry0 for queue in self.streams.values())
        lasts = Cat(index.last, value.last)
        missing, disorder, more = self._judge(m, index, value)
        m.d.comb += self.good.eq(~missing & ~disorder)
        pops = Signal(2)
        m.d.comb += [queue.pop.eq(pop) for queue, pop in zip(self.streams.values(), pops, strict=True)]
        with m.Switch(self.phase):
            with m.Case(Phase.READ):
                m.d.comb += self.unasked.eq((self.step & ~self.paired) | self.drop.any())
                with m.If(self.step):
                    m.d.comb += [pops.eq(0b11), self.makes.eq(self.good), self.error.eq(Mux(more, NmError.LONG, NmError.NONE))]
                    m.d.sync += [self.over.eq(lasts), self.code.eq(Mux(~missing & disorder, NmError.ORDER, NmError.SHORT))]
                    with m.If(~self.good | (lasts.any() & ~self.complete)):
                        m.d.sync += self.phase.eq(Phase.PAD)
                    with m.Elif(self.complete):
                        m.d.sync += self.phase.eq(Phase.DROP)
                        m.d.comb += self.ends.eq(lasts.all())
                self._expand(m, index, value)
            with m.Case(Phase.PAD):
                m.d.comb += [self.unasked.eq(self.drop.any()), self.makes.eq(self.step), self.error.eq(self.code)]
                with m.If(self.step & self.complete):
                    m.d.sync += self.phase.eq(Phase.DROP)
            with m.Case(Phase.DROP):
                levels = Cat(queue.level != 0 for queue in self.streams.values())
                m.d.comb += [pops.eq(self.drop), self.unasked.eq(self.step | (self.drop & (self.over | ~levels)).any())]
                m.d.sync += self.over.eq(self.over | (self.drop & lasts))
                m.d.comb += self.ends.eq(self.over.all())

    def _judge(self, m: Module, index: Any, value: Any) -> tuple[Value, Value, Value]:
        """Whether the pair lacks something, has indices that do not increase, has more than the matrix can take."""
        p = self.parameters
        missing: Value = (self.left != 0) & ~index.keep
        disorder: Value = Const(0)
        more: Value = ~index.last | ~value.last | ((self.left == 0) & index.keep)
        for g in range(p.groups):
            used = Signal(name=f"used_{g}")  # has the group a weight in the matrix?
            m.d.comb += used.eq(self.left > g * p.m)
            kept = value.keep[g * p.n : (g + 1) * p.n]
            missing, more = missing | (used & ~kept.all()), more | (~used & kept.any())
            disorder = disorder | (used & Cat(right <= left for left, right in pairwise(self.indices(index, g))).any())
        return missing, disorder, more

    def indices(self, index: Any, group: int) -> list[Value]:
        bits, width = index.data[0], self.parameters.index_bits
        start = group * self.parameters.group_bits
        return [bits[start + i * width : start + (i + 1) * width] for i in range(self.parameters.n)]

    def _expand(self, m: Module, index: Any, value: Any) -> None:
        """Put each value where its index says, zeros elsewhere."""
        p = self.parameters
        for g in range(p.groups):
            places = Array(self.data[g * p.m : (g + 1) * p.m])
            for i, at in enumerate(self.indices(index, g)):
                m.d.comb += places[at].eq(value.data[g * p.n + i])


class NmTruth(Truth):
    """The N:M decoder gives what :class:`NmModel` owes.

    Reads ``decoder.state``, ``decoder.advance``, ``decoder.index_valid``, ``decoder.index_taken`` and those of ``value`` to tell the model
    of the steps; the invariants read more.
    """

    parameters: NmParameters
    definition = NmModel

    def watch(self, m: Module, internals: Internals) -> None:
        state, advance = internals["decoder.state"], internals["decoder.advance"]
        full, taken = ([internals[f"decoder.{name}_{what}"] for name in ("index", "value")] for what in ("valid", "taken"))
        decodes = (state == DECODE) & full[0] & full[1]
        m.d.comb += self.model.step.eq((decodes | (state == PAD)) & advance)
        m.d.comb += self.model.drop.eq((state == DRAIN).replicate(2) & Cat(full) & Cat(taken))

    def wants(self) -> dict[str, Value]:
        model, at_work = self.model, self.model.shapes.level != 0
        wanted = {"shape": ~at_work}
        for i, (name, queue) in enumerate(model.streams.items()):
            lacks = (model.phase == Phase.READ) | ((model.phase == Phase.DROP) & ~model.over[i])
            wanted[name] = at_work & lacks & (queue.level == 0)
        return wanted

    def able(self) -> Value:
        return (self.model.phase == Phase.PAD) | (self.model.paired & self.model.good)

    def codes(self) -> list[Any]:
        return [code for code in super().codes() if code != NmError.ORDER or self.parameters.n > 1]  # a single index is in order

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        NmInvariants(m, self.model, internals).hold()


class NmInvariants(Invariants):
    """The invariants of one decoder."""

    p: NmParameters

    def hold(self) -> None:
        self._control()
        self._held()
        self._owed([("output register", self._get("weight__valid"), self._get("weight__payload"))])

    def _control(self) -> None:
        """State, count and the first error."""
        m, model, state = self.m, self.model, self._state()
        with m.If((state == DECODE) | (state == PAD)):
            self._must(self._get("surplus") == self.p.lanes - model.left, "the count")
        with m.Else():
            self._must(self._get("surplus") >= 0, "a matrix that is complete has nothing left")
        with m.If((state == PAD) | (state == DRAIN)):
            self._must(self._get("over") == model.over, "the streams that are over")
        with m.If(state == PAD):
            self._must(self._get("code") == model.code, "the error")

    def _held(self) -> None:
        """The registers of the input beats hold what was taken, and what is told of it on its way in is true."""
        p, (index, value) = self.p, (queue.entry0 for queue in self.model.streams.values())
        kept = [value.keep[g * p.n : (g + 1) * p.n] for g in range(p.groups)]
        unordered = [Cat(b <= a for a, b in pairwise(self.model.indices(index, g))).any() for g in range(p.groups)]
        told = {
            "index": {"indices": index.data[0], "unordered": Cat(unordered), "index_keep": index.keep, "index_last": index.last},
            "value": {
                "values": Value.cast(value.data), "value_some": Cat(k.any() for k in kept), "value_every": Cat(k.all() for k in kept),
                "value_last": value.last,
            },
        }
        for name, registers in told.items():
            full = self._get(f"{name}_valid")
            self._must(self.model.streams[name].level == full, f"a beat of {name} is held")
            with self.m.If(full):
                for register, true in registers.items():
                    self._must(self._get(register) == true, register)


class Unordered(NmDecoder):
    """A decoder that does not look whether the indices of a group increase."""

    def _judge(self, index: Any, value: Any, used: Value) -> tuple[Value, Value, Value]:
        missing, _, more = super()._judge(index, value, used)
        return missing, Const(0), more


class Greedy(NmDecoder):
    """A decoder that looks at the groups past the last weight."""

    def _judge(self, index: Any, value: Any, used: Value) -> tuple[Value, Value, Value]:
        return super()._judge(index, value, Const(~0, len(used)))


class Tolerant(NmDecoder):
    """A decoder to which more than the matrix takes is no error."""

    def _judge(self, index: Any, value: Any, used: Value) -> tuple[Value, Value, Value]:
        missing, disorder, _ = super()._judge(index, value, used)
        return missing, disorder, Const(0)


def designs() -> list[NmParameters]:
    """A small decoder, one with several groups and an incomplete one, n = 1 and skid; and the catalogue."""
    small = [
        NmParameters(name="nm_one", n=1, m=2, value_bits=1, groups=2, count_bits=3),
        NmParameters(name="nm_skid", n=3, m=4, value_bits=1, groups=2, count_bits=4, skid=True),
    ]
    return small + [p for p in CATALOG.values() if isinstance(p, NmParameters)]


BROKEN = NmParameters(name="nm_broken", groups=2, value_bits=2, count_bits=4)
WRONG = {
    "indices out of order are decoded": (Unordered, "no more shapes are taken"),
    "values are asked for groups past the last weight": (Greedy, "first error's code"),
    "what is too much is no error": (Tolerant, "first error's code"),
}


def claims() -> list[Claim]:
    """The N:M decoder's claims."""
    made = proof_claims(NmTruth, designs(), covered_in=16)
    return made + broken_claims(NmTruth, BROKEN, WRONG, depth=12)
