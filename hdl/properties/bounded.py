"""The claims of decoders of which nothing is proven without a bound: they hold within so many cycles of the first reset.

Without a bound the solvers come to no end, for what waits in a pipeline is then only known by invariants of each design.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from amaranth.hdl import Module, Value
from amaranth.lib import wiring

from golden.catalog import CATALOG
from golden.params.base import Parameters
from golden.params.relative import RelativeParameters
from hdl.axis import AxiDecoder
from hdl.bitmap import BitmapDecoder
from hdl.csr import CsrDecoder
from hdl.properties.bitmap_element import BitmapElement, ViterbiWeightElement
from hdl.properties.broken import INPUT, OUTPUT, Wrong, blind
from hdl.properties.claims import Claim, Tamper, Tampered
from hdl.properties.count import Count
from hdl.properties.csr_element import CsrElement, DenseElement
from hdl.properties.progress import Progress
from hdl.properties.spec import Spec

Kind = type[Count] | type[Progress]

# What is claimed, and for how many cycles; and for how many that something moves.
SPECS: dict[str, tuple[type[Count], int, int]] = {
    "csr_survivors_p2_tiny": (CsrElement, 14, 24), "csr_dense_s2_tiny": (DenseElement, 12, 18), "group_g2_tiny": (Count, 14, 20),
    "bitmap_n16": (BitmapElement, 14, 26), "bitmap_n5_s2_skid": (BitmapElement, 16, 30),
    "viterbi_weight_k3q4": (ViterbiWeightElement, 22, 36),
    "relative_tiny": (Count, 14, 20),  # for values kept with holes: without these it is proven
}
WHOLE = {"bitmap_n16"}  # of which nothing is broken: `bitmap_n5_s2_skid` has the same claim, and it takes minutes to trace what is wrong

# What is broken inside; that it is malformed, or how, is then not told.
INSIDE: dict[str, Wrong] = {
    "bitmap_n5_s2_skid": {
        "a value that is missing is no error": (partial(blind, BitmapDecoder, "expander", "_judge", "short"), "first error's code"),
    },
    "csr_survivors_p2_tiny": {
        "columns that do not increase are no error": (partial(blind, CsrDecoder, "reader", "_compare", "unordered"), "first error's code"),
    },
    "csr_dense_s2_tiny": {
        "what is wrong in a row is no error": (partial(blind, CsrDecoder, "dense_rows", "_judge", 0), "first error's code"),
    },
}


def _wrong(port: str, m: Module, outer: Any, inner: Any) -> None:
    """A bit of an element that there is."""
    m.d.comb += getattr(outer, f"{port}_tdata")[0].eq(getattr(inner, f"{port}_tdata")[0] ^ getattr(inner, f"{port}_tkeep")[0])


def _alarm(port: str, m: Module, outer: Any, inner: Any) -> None:
    """An error where there is none."""
    m.d.comb += getattr(outer, f"{port}_tuser").eq(getattr(inner, f"{port}_tuser") | getattr(inner, f"{port}_tlast"))


def _blank(port: str, m: Module, outer: Any, _: Any) -> None:
    """Nothing but zeros."""
    m.d.comb += getattr(outer, f"{port}_tdata").eq(0)


def _tampers(kind: type[Count]) -> dict[str, tuple[Callable[..., None], str]]:
    """What is broken at the output, and part of the message of the property that has to notice."""
    tampers = {what: OUTPUT[what] for what in ("tlast too early", "lanes past the last element are kept")}
    if kind is not Count:
        tampers |= {"no error code": OUTPUT["no error code"], "a wrong bit": (_wrong, "are those of the definition")}
    if issubclass(kind, CsrElement):
        tampers |= {"an error that is none": (_alarm, "what is sound has none"), "zeros": (_blank, "none is missing")}
    return tampers


def _withheld(port: str, m: Module, outer: Any, inner: Any, shown: Value) -> None:
    """A beat is taken only where it is *shown*."""
    m.d.comb += getattr(inner, f"{port}_tvalid").eq(getattr(outer, f"{port}_tvalid") & shown)
    m.d.comb += getattr(outer, f"{port}_tready").eq(getattr(inner, f"{port}_tready") & shown)


def _with_shape(port: str, m: Module, outer: Any, inner: Any) -> None:
    _withheld(port, m, outer, inner, outer.s_axis_shape_tvalid)


def _packed(port: str, m: Module, outer: Any, inner: Any) -> None:
    keep = getattr(outer, f"{port}_tkeep")
    _withheld(port, m, outer, inner, ~(keep & (keep + 1)).any())


def _stuck(p: Parameters) -> dict[str, Tamper]:
    """What hangs, each in its way, of an input's name and how it is tampered with."""
    port = f"s_axis_{p.inputs[0].name}"
    tampers = {"the last beat of an input is never taken": INPUT["the last beat of {} is never taken"][0]}
    tampers["a beat is taken only beside the next shape"] = _with_shape
    made: dict[str, Tamper] = {what: partial(tamper, port) for what, tamper in tampers.items()}
    if isinstance(p, RelativeParameters):
        made["a beat with holes is never taken"] = partial(_packed, "s_axis_value")
    return made


def _spec(kind: Kind, p: Parameters, make: Callable[[Any], wiring.Component] | None = None, **options: bool) -> Spec:
    return kind(AxiDecoder(p, make and make(p)), p, **options)


def _broken(kind: Kind, p: Parameters, tamper: Any) -> Spec:
    return kind(Tampered(AxiDecoder(p), tamper), p, legal_inputs=True)


def claims() -> list[Claim]:
    """The claims of these decoders; the inputs keep the stream rules."""
    made = []
    for name, (kind, within, moves) in SPECS.items():
        p, ports = CATALOG[name], f"{name}_ports"
        for each, cycles in ((kind, within), (Progress, moves)):
            made += [Claim(each.claim, name, partial(_spec, each, p, legal_inputs=True), mode, cycles) for mode in ("sat", "cover")]
        if name in WHOLE:
            continue
        for what, (tamper, seen) in _tampers(kind).items():
            broken = partial(_broken, kind, p, partial(tamper, f"m_axis_{p.output.name}"))
            made.append(Claim(what, ports, broken, "sat", within, rejects=seen))
        for what, (make, seen) in INSIDE.get(name, {}).items():
            made.append(Claim(what, ports, partial(_spec, kind, p, make, legal_inputs=True), "sat", within, rejects=seen))
        for what, stuck in _stuck(p).items():
            made.append(Claim(what, ports, partial(_broken, Progress, p, stuck), "sat", moves, rejects="something moves"))
    return made
