"""What has to hold of the designs, beside them and never inside; ``make prove`` shows that it does.

A module here that has a function ``claims()`` takes part. For a new decoder: a model that is only meant to be believed
(:mod:`hdl.properties.viterbi_model`), a :class:`hdl.properties.spec.Spec` that compares, with :func:`hdl.properties.stream.port_rules`
for the bus, the invariants that make it inductive, and designs that are broken on purpose, each with the property that has to notice.
"""
