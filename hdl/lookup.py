"""The look-up unit: a matrix in CSR is loaded into memory, then every request for A[row, column] is answered, one per clock cycle."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.lookup import LookUpParameters
from hdl.csr import CsrDecoder
from hdl.lookup_requests import RequestReader
from hdl.lookup_search import Search, memory
from hdl.stream import decoder_members, payload

ENDING = data.StructLayout({"keep": 1, "last": 1, "error": 4})  # what an answer is beside its value, as in the output


class Answers(wiring.Component):
    """Places for answers: each is reserved when the search begins, filled when it ends, and given in order. Latency 1 from ``put``.

    Members:
        room: A place is free; from registers.
        reserve: Take it, for an answer with ``ending``; only while ``room``.
        put: ``value`` is the answer that the oldest place without one waits for.
        weight: That of the decoder. Nothing follows its ready combinationally.
    """

    def __init__(self, p: LookUpParameters) -> None:
        self._parameters = p
        members = {"room": Out(1), "reserve": In(1), "ending": In(ENDING), "put": In(1), "value": In(p.value_bits)}
        super().__init__(members | {"weight": Out(stream.Signature(payload(p.output)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self._parameters
        bits = p.places.bit_length()  # one more than a place has: so that full is not empty
        reserved, filled, given = (Signal(bits, name=name) for name in ("reserved", "filled", "given"))
        give = Signal()
        put_ending, ending = memory(m, "endings", len(self.ending.as_value()), p.places)
        put_value, value = memory(m, "values", p.value_bits, p.places)
        m.d.comb += [
            self.room.eq(~((reserved[:-1] == given[:-1]) & (reserved[-1] != given[-1]))),
            give.eq((filled != given) & (~self.weight.valid | self.weight.ready)),
            put_ending.en.eq(self.reserve), put_ending.addr.eq(reserved[:-1]), put_ending.data.eq(self.ending),
            put_value.en.eq(self.put), put_value.addr.eq(filled[:-1]), put_value.data.eq(self.value),
        ]
        for read in (ending, value):
            m.d.comb += [read.en.eq(give), read.addr.eq(given[:-1])]
        m.d.sync += [reserved.eq(reserved + self.reserve), filled.eq(filled + self.put), given.eq(given + give)]
        m.d.sync += self.weight.valid.eq(give | (self.weight.valid & ~self.weight.ready))
        out, told = self.weight.payload, data.View(ENDING, ending.data)
        m.d.comb += [out.data[0].eq(value.data), out.keep.eq(told.keep), out.last.eq(told.last), out.error.eq(told.error)]
        return m


class LookUpDecoder(wiring.Component):
    """Look-up unit: loads a matrix, and gives for each request for a row and a column the weight there, 0 where none survives.

    Rate: a matrix takes a clock cycle for each survivor (see :class:`hdl.csr.CsrDecoder` for where row pointers take longer), and then one
    for each request. The next one is loaded right behind the last request, while the answers are still under way.
    Latency: 2 * ``survivor_bits`` + 3 clock cycles from a request, whose matrix is loaded, to its answer.
    No ready follows another port combinationally.

    Members:
        shape: One beat starts a matrix: its numbers of rows, columns, survivors and requests.
        pointer, column, value: Row pointers, columns and values, as of CSR.
        request: A row and a column each; ``last`` with the last of a matrix. One without requests has one beat without ``keep``.
        weight: An answer for each request, in order. After an error in the matrix all are 0, after one in the requests all from that on.

    ``error`` on the last beat is a code of :class:`golden.params.lookup.LookUpError`.
    """

    def __init__(self, parameters: LookUpParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        m.submodules.matrix = matrix = CsrDecoder(p.matrix)
        m.submodules.requests = requests = RequestReader(p)
        m.submodules.search = search = Search(p)
        m.submodules.answers = answers = Answers(p)
        for name in ("pointer", "column", "value"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(matrix, name))
        wiring.connect(m, wiring.flipped(self.request), requests.request)
        wiring.connect(m, answers.weight, wiring.flipped(self.weight))
        shape = self.shape.payload.data[0]
        m.d.comb += [
            *(matrix.shape.payload.data[0][name].eq(shape[name]) for name in ("rows", "columns", "survivors")),
            *(requests.shape.payload[name].eq(shape[name]) for name in ("rows", "columns", "requests")),
            # Both take it at once.
            self.shape.ready.eq(matrix.shape.ready & requests.shape.ready),
            matrix.shape.valid.eq(self.shape.valid & requests.shape.ready),
            requests.shape.valid.eq(self.shape.valid & matrix.shape.ready),
        ]
        self._order(m, matrix.survivor, requests.asked, search.item, answers)
        m.d.comb += [answers.put.eq(search.found), answers.value.eq(search.value)]
        return m

    def _order(self, m: Module, survivor: Any, asked: Any, item: Any, answers: Answers) -> None:
        """Send a matrix's survivors down the steps, and then its requests; the first error of both is that of the matrix."""
        loaded = Signal()  # all survivors of the matrix are on their way
        place = Signal(self.parameters.survivor_bits)  # how many of them; 0 after an error, so that no search finds anything
        error = Signal(4)  # the first one, but for that of the request at hand
        found, request = survivor.payload, asked.payload
        store, ask, good = (Signal(name=name) for name in ("store", "ask", "good"))
        first = Signal(4)
        m.d.comb += [
            survivor.ready.eq(~loaded),
            asked.ready.eq(loaded & answers.room),
            store.eq(survivor.valid & survivor.ready & found.keep),
            ask.eq(asked.valid & asked.ready),
            good.eq(request.keep & ~request.error.any()),
            first.eq(Mux(error.any(), error, request.error)),
            item.load.eq(store),
            item.search.eq(ask),
            item.place.eq(place & (~loaded | good).replicate(len(place))),
            item.key.eq(Mux(loaded, request.key, Cat(found.data[0].column, found.data[0].row))),
            item.value.eq(Mux(loaded, 0, found.data[0].value)),
            answers.reserve.eq(ask),
            answers.ending.keep.eq(request.keep),
            answers.ending.last.eq(request.last),
            answers.ending.error.eq(Mux(request.last, first, 0)),
        ]
        with m.If(survivor.valid & survivor.ready):
            m.d.sync += [place.eq(place + store), loaded.eq(found.last)]
            with m.If(found.last):
                m.d.sync += error.eq(found.error)
                with m.If(found.error.any()):
                    m.d.sync += place.eq(0)
        with m.If(ask):
            m.d.sync += [loaded.eq(~request.last), error.eq(Mux(request.last, 0, first))]
            with m.If(request.last | request.error.any()):
                m.d.sync += place.eq(0)


DECODER = LookUpDecoder
