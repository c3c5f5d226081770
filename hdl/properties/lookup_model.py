"""The look-up by its definition: survivors are put down one after the other, and each request is looked for among all of them."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.params.lookup import LookUpError, LookUpParameters
from hdl.properties.csr_model import CsrModel, Share
from hdl.properties.queue import Queue
from hdl.stream import payload


class LookUpModel(wiring.Component):
    """CSR's survivors, as their model gives them, make a table; requests are counted off and judged, and then looked up in it.

    Members, beside those of every model:
        move, take: ``In``; see :class:`CsrModel`.
        store: ``In``; the oldest survivor is put into the table, or the sign that there is none is taken.
        judge: ``In``; the next request is counted off and compared with the shape.
        ask: ``In``; the oldest request that was judged is answered, which makes a beat.

    Attributes:
        matrix: The model of the matrix.
        requests: The stream of requests; ``shares``, it and the matrix' columns and values.
        shapes: What the shape beats held of the matrices whose requests were not all judged, that at hand first.
        settled: The shape at hand was taken earlier than in the cycle before; requests wait for that.
        number: Requests of that matrix that were judged.
        asked: The request that was judged: its row and column, ``keep`` if it is one, and not the sign that there is none, ``last``, and
            its error, as if none had come before.
        beats: The output beats that are owed.
        table, stored: The survivors of the matrix, and how many there are.
        loaded, first: The matrix is complete; the first error, but for that of the request at hand.
        found: What the table has for that.
        can_store, can_judge, can_ask: The next of each step can be taken.
    """

    def __init__(self, parameters: LookUpParameters) -> None:
        p = self.parameters = parameters
        self.matrix, self.requests = CsrModel(p.matrix), Share(p.inputs[-1])
        self.shares = self.matrix.shares | {"request": self.requests}
        self.streams = self.matrix.streams | {"request": self.requests.beats}
        shape, place = payload(p.shape)["data"].shape.elem_shape, payload(p.inputs[-1])["data"].shape.elem_shape
        self.shapes, self.beats = Queue(shape, 2), Queue(payload(p.output), p.places + 1 + 2 * p.skid)
        self.asked = Queue(data.StructLayout({"place": place, "keep": 1, "last": 1, "error": LookUpError}), 1)
        survivor = payload(p.matrix.survivor)["data"].shape.elem_shape
        self.table = [Signal(survivor, name=f"table_{i}") for i in range((1 << p.survivor_bits) - 1)]
        self.number, self.stored, self.first = Signal(p.count_bits), Signal(p.survivor_bits), Signal(LookUpError)
        self.found, self.final, self.settled = Signal(p.value_bits), Signal(), Signal()
        self.loaded, self.can_store, self.can_judge, self.can_ask = (
            Signal(name=name) for name in ("loaded", "can_store", "can_judge", "can_ask")
        )
        beats = {f"{port.name}_beat": In(payload(port)) for port in p.inputs}
        flags = dict.fromkeys(("shape", *(port.name for port in p.inputs), "taken", "move", "take", "store", "judge", "ask"), In(1))
        super().__init__(flags | beats | {"count": In(shape), "unasked": Out(1)})

    @property
    def wants_shape(self) -> Value:
        """The model of the matrix can take one."""
        return self.matrix.shapes.level == 0

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.matrix, m.submodules.requests, m.submodules.shapes = matrix, requests, shapes = self.matrix, self.requests, self.shapes
        m.submodules.asked, m.submodules.beats = asked, beats = self.asked, self.beats
        for port in self.parameters.inputs[:-1]:
            m.d.comb += [getattr(matrix, name).eq(getattr(self, name)) for name in (port.name, f"{port.name}_beat")]
        m.d.comb += [
            matrix.shape.eq(self.shape), matrix.move.eq(self.move), matrix.take.eq(self.take), matrix.taken.eq(self.store),
            *(matrix.count[name].eq(self.count[name]) for name in ("rows", "columns", "survivors")),
            shapes.push.eq(self.shape), shapes.new.eq(self.count), shapes.pop.eq(self.judge & self.final),
            requests.push.eq(self.request), requests.beat.eq(self.request_beat), requests.use.eq(self.judge),
            requests.complete.eq(self.final), asked.push.eq(self.judge), asked.pop.eq(self.ask), beats.push.eq(self.ask),
            beats.pop.eq(self.taken), self.can_store.eq((matrix.beats.level != 0) & ~self.loaded),
            self.can_judge.eq((shapes.level != 0) & requests.there), self.can_ask.eq((asked.level != 0) & self.loaded),
            self.unasked.eq(
                Cat(self.store, self.judge, self.ask) & ~Cat(self.can_store, self.can_judge, self.can_ask) != 0
                | matrix.unasked | requests.unasked | matrix.shapes.overflows | matrix.beats.overflows | asked.overflows
            ),
        ]
        m.d.sync += self.settled.eq(shapes.level - shapes.pop != 0)
        self._store(m)
        self._judge(m)
        self._ask(m)
        return m

    def _store(self, m: Module) -> None:
        survivor = self.matrix.beats.entry0
        with m.If(self.store):
            m.d.sync += [self.loaded.eq(survivor.last), self.first.eq(Mux(survivor.last, survivor.error, LookUpError.NONE))]
            with m.If(survivor.keep):
                m.d.sync += self.stored.eq(self.stored + 1)
                for i, row in enumerate(self.table):
                    with m.If(self.stored == i):
                        m.d.sync += row.eq(survivor.data[0])

    def _judge(self, m: Module) -> None:
        """The requests in their order."""
        shape, share, new = self.shapes.entry0, self.requests, self.asked.new
        place, empty = share.beats.entry0.data[0], shape.requests == 0
        m.d.comb += [
            self.final.eq(self.number + 1 >= shape.requests), Value.cast(new.place).eq(Value.cast(place)),
            new.keep.eq(~empty), new.last.eq(self.final),
        ]
        with m.If(empty):
            m.d.comb += new.error.eq(Mux(share.missing, LookUpError.NONE, LookUpError.LONG))
        with m.Elif(share.missing):
            m.d.comb += new.error.eq(LookUpError.SHORT)
        with m.Elif(self.final & share.more):
            m.d.comb += new.error.eq(LookUpError.LONG)
        with m.Elif((place.row >= shape.rows) | (place.column >= shape.columns)):
            m.d.comb += new.error.eq(LookUpError.BEYOND)
        with m.If(self.judge):
            m.d.sync += self.number.eq(Mux(self.final, 0, self.number + 1))

    def _ask(self, m: Module) -> None:
        """Answer with the survivor that is there."""
        request, new, error = self.asked.entry0, self.beats.new, Signal(LookUpError)
        for i, row in enumerate(self.table):
            with m.If((i < self.stored) & (row.row == request.place.row) & (row.column == request.place.column)):
                m.d.comb += self.found.eq(row.value)
        m.d.comb += [
            error.eq(Mux(self.first == LookUpError.NONE, request.error, self.first)), new.keep.eq(request.keep), new.last.eq(request.last),
            new.data[0].eq(Mux(request.keep & (error == LookUpError.NONE), self.found, 0)),
            new.error.eq(Mux(request.last, error, LookUpError.NONE)),
        ]
        with m.If(self.ask):
            m.d.sync += self.first.eq(Mux(request.last, LookUpError.NONE, error))
            with m.If(request.last):
                m.d.sync += [self.loaded.eq(0), self.stored.eq(0)]
