"""The claims that every format makes: its designs are sound, and designs broken on purpose, each in one way, are found out."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from amaranth.hdl import Const, Module
from amaranth.lib import wiring

from golden.params.base import Parameters
from hdl.axis import AxiDecoder
from hdl.properties.claims import Claim, Tamper, Tampered
from hdl.properties.spec import Spec
from hdl.properties.stream import StreamRules


def _side(component: Any, port: str) -> dict[str, Any]:
    """The signals of *port* (``m_axis_weight``) of *component* by their AXI4-Stream names."""
    return {name: getattr(component, f"{port}_{name}") for name in ("tdata", "tvalid", "tready", "tkeep", "tlast")}


def _early_last(port: str, m: Module, outer: Any, _: Any) -> None:
    m.d.comb += getattr(outer, f"{port}_tlast").eq(1)


def _no_code(port: str, m: Module, outer: Any, _: Any) -> None:
    m.d.comb += getattr(outer, f"{port}_tuser").eq(0)


def _kept(port: str, m: Module, outer: Any, _: Any) -> None:
    m.d.comb += getattr(outer, f"{port}_tkeep").eq(~0)


def _flipped(port: str, m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += getattr(outer, f"{port}_tdata")[0].eq(~getattr(inner, f"{port}_tdata")[0])


def _lost(port: str, m: Module, outer: Any, inner: Any) -> None:
    mine, given = _side(outer, port), _side(inner, port)
    lost = given["tlast"] & getattr(inner, f"{port}_tuser").any()
    m.d.comb += [mine["tvalid"].eq(given["tvalid"] & ~lost), given["tready"].eq(mine["tready"] | lost)]


def _waits(port: str, m: Module, outer: Any, inner: Any) -> None:
    mine, given = _side(outer, port), _side(inner, port)
    m.d.comb += mine["tvalid"].eq(given["tvalid"] & mine["tready"])


def _withdraws(port: str, m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += getattr(outer, f"{port}_tvalid").eq(getattr(inner, f"{port}_tvalid") & ~outer.s_axis_shape_tvalid)


def _changes(port: str, m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += getattr(outer, f"{port}_tlast").eq(getattr(inner, f"{port}_tlast") & getattr(outer, f"{port}_tready"))


def _unreset(_port: str, m: Module, _: Any, inner: Any) -> None:
    m.d.comb += inner.aresetn.eq(1)


def _hangs(port: str, m: Module, outer: Any, inner: Any) -> None:
    mine, given = _side(outer, port), _side(inner, port)
    m.d.comb += [given["tvalid"].eq(mine["tvalid"] & ~mine["tlast"]), mine["tready"].eq(given["tready"] & ~mine["tlast"])]


def _never_empty(port: str, m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += getattr(inner, f"{port}_tlast").eq(getattr(outer, f"{port}_tlast") & getattr(outer, f"{port}_tkeep")[0])


# What is broken at the ports of a sound decoder, and part of the message of the property that has to notice.
OUTPUT: dict[str, tuple[Callable[..., None], str]] = {
    "tlast too early": (_early_last, "tlast"),
    "no error code": (_no_code, "first error's code"),
    "lanes past the last element are kept": (_kept, "what is kept"),
    "a wrong bit": (_flipped, "the elements"),
    "a last beat with an error never comes": (_lost, "owed"),
    "tvalid waits for tready": (_waits, "offered within the latency"),
}
INPUT: dict[str, tuple[Callable[..., None], str]] = {
    "the last beat of {} is never taken": (_hangs, "something moves"),
    "a beat that ends {} without data is overlooked": (_never_empty, ""),
}
UNRULY: dict[str, tuple[Callable[..., None], str]] = {
    "tvalid drops when a shape is offered": (_withdraws, "offered until it is taken"),
    "tlast changes in a stall": (_changes, "does not change until it is taken"),
    "reset does not reach the decoder": (_unreset, "during reset"),
}


def proof_claims(
    truth: Callable[..., Spec], designs: Sequence[Parameters], *, covered_in: int, invariants: bool = True,
    made_by: Callable[[Any], wiring.Component] = AxiDecoder,
) -> list[Claim]:
    """What has to hold of the decoders of all *designs*: *truth* for ever, and its covers within *covered_in* cycles.

    Without *invariants* reachability has to do without them: it does for small sets.
    """

    def spec(p: Parameters, **options: bool) -> Spec:
        return truth(made_by(p), p, **options)

    made = []
    for p in designs:
        made += [
            Claim("truth", p.name, partial(spec, p, invariants=invariants), "prove" if invariants else "pdr", p.latency + 1),
            Claim("truth", p.name, partial(spec, p, legal_inputs=True), "cover", covered_in),
        ]
    return made


def _lessen(part: Any, makes: str, what: str | int) -> None:
    """What :func:`blind` says, of *part*, which is not elaborated yet."""
    sound = getattr(part, makes)

    def less(*arguments: Any) -> Any:
        known = sound(*arguments)
        if isinstance(what, int):
            return (*known[:what], Const(0, len(known[what])), *known[what + 1 :])
        holders = (*known, part) if isinstance(known, tuple) else (known, part)
        holder = next(one for one in holders if hasattr(one, what))
        setattr(holder, what, Const(0, len(getattr(holder, what))))
        return known

    setattr(part, makes, less)


def blind(made: Callable[[Any], Any], part: str, makes: str, what: str | int, parameters: Parameters) -> wiring.Component:
    """A decoder, as *made* gives it, that takes something it knows for 0.

    Args:
        part, makes: The part, "" for the decoder itself, and its method that finds it out.
        what: Its place in the tuple that the method gives, or the name of a register: an attribute of what the method gives, or of the
            part.
    """
    decoder: Any = made(parameters)
    elaborate = decoder.elaborate

    def tampered(platform: object) -> Module:
        m: Module = elaborate(platform)
        _lessen(getattr(m.submodules, part), makes, what)
        return m

    if part:
        decoder.elaborate = tampered
    else:
        _lessen(decoder, makes, what)
    return cast(wiring.Component, decoder)


Wrong = Mapping[str, tuple[Callable[[Any], wiring.Component], str]]


def wrong_claims(truth: Callable[..., Spec], parameters: Parameters, wrong: Wrong, *, depth: int) -> list[Claim]:
    """The decoders that *truth* has to reject within *depth* cycles.

    Args:
        wrong: For each, what is broken, a function that makes the decoder of *parameters* (without AXI4-Stream ports), and part of the
            message of the property that has to notice.
    """

    def spec(make: Callable[[Any], wiring.Component]) -> Spec:
        return truth(AxiDecoder(parameters, make(parameters)), parameters, invariants=False)

    return [Claim(what, parameters.name, partial(spec, make), "bmc", depth, rejects=seen) for what, (make, seen) in wrong.items()]


def broken_claims(
    truth: Callable[..., Spec], parameters: Parameters, wrong: Wrong, *, depth: int, overlooked: str = "than the registers hold"
) -> list[Claim]:
    """What *truth* has to reject within *depth* cycles: a sound decoder whose ports are tampered with, and the decoders of *wrong*.

    Args:
        wrong: See :func:`wrong_claims`.
        overlooked: Part of the message of the property that notices first where a beat without data is overlooked.
    """

    def tampered(tamper: Tamper) -> wiring.Component:
        return Tampered(AxiDecoder(parameters), tamper)

    def of_truth(make: Callable[[], wiring.Component]) -> Spec:
        return truth(make(), parameters, invariants=False)

    def rules_of(tamper: Tamper) -> Spec:
        return StreamRules(tampered(tamper))

    output = f"m_axis_{parameters.output.name}"
    made: list[tuple[str, Callable[[], Spec], str]] = []
    made += [(what, partial(of_truth, partial(tampered, partial(how, output))), seen) for what, (how, seen) in OUTPUT.items()]
    for port in parameters.inputs:
        made += [
            (what.format(port.name), partial(of_truth, partial(tampered, partial(how, f"s_axis_{port.name}"))), seen or overlooked)
            for what, (how, seen) in INPUT.items()
        ]
    made += [(what, partial(rules_of, partial(how, output)), seen) for what, (how, seen) in UNRULY.items()]
    of_ports = [Claim(what, f"{parameters.name}_ports", spec, "bmc", depth, rejects=seen) for what, spec, seen in made]
    return of_ports + wrong_claims(truth, parameters, wrong, depth=depth)
