"""The claims of decoders of which nothing is proven without a bound: they hold within so many cycles of the first reset.

Without a bound the solvers come to no end, for what waits in a pipeline is then only known by invariants of each design.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from amaranth.hdl import Module

from golden.catalog import CATALOG
from golden.params.base import Parameters
from hdl.axis import AxiDecoder
from hdl.properties.bitmap_element import BitmapElement, ViterbiWeightElement
from hdl.properties.broken import INPUT, OUTPUT
from hdl.properties.claims import Claim, Tampered
from hdl.properties.count import Count
from hdl.properties.csr_element import CsrElement, DenseElement

# What is claimed, and for how many cycles.
SPECS: dict[str, tuple[type[Count], int]] = {
    "csr_survivors_p2_tiny": (CsrElement, 14), "csr_dense_s2_tiny": (DenseElement, 12), "group_g2_tiny": (Count, 14),
    "bitmap_n16": (BitmapElement, 14), "bitmap_n5_s2_skid": (BitmapElement, 16), "viterbi_weight_k3q4": (ViterbiWeightElement, 22),
}
WHOLE = {"bitmap_n16"}  # of which nothing is broken: `bitmap_n5_s2_skid` has the same claim, and it takes minutes to trace what is wrong
HANGS = 30  # cycles in which that is seen


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


def _spec(kind: type[Count], p: Parameters, **options: bool) -> Count:
    return kind(AxiDecoder(p), p, **options)


def _broken(kind: type[Count], p: Parameters, tamper: Any) -> Count:
    return kind(Tampered(AxiDecoder(p), tamper), p, legal_inputs=True)


def claims() -> list[Claim]:
    """The claims of these decoders; the inputs keep the stream rules."""
    made = []
    for name, (kind, within) in SPECS.items():
        p, ports = CATALOG[name], f"{name}_ports"
        spec = partial(_spec, kind, p, legal_inputs=True)
        made += [Claim(kind.claim, name, spec, mode, within) for mode in ("sat", "cover")]
        if name in WHOLE:
            continue
        for what, (tamper, seen) in _tampers(kind).items():
            broken = partial(_broken, kind, p, partial(tamper, f"m_axis_{p.output.name}"))
            made.append(Claim(what, ports, broken, "sat", within, rejects=seen))
        # What hangs is seen late, where a search of all that came before takes long, and the elements do not matter.
        tamper, seen = INPUT["the last beat of {} is never taken"]
        broken = partial(_broken, Count, p, partial(tamper, f"s_axis_{p.inputs[0].name}"))
        made.append(Claim("the last beat of an input is never taken", ports, broken, "bmc", HANGS, rejects=seen))
    return made
