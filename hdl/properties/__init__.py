"""What has to hold of the designs, beside them and never inside; ``make prove`` shows that it does.

A module here that has a function ``claims()`` takes part. For a new decoder, as in :mod:`hdl.properties.nm`: a subclass of
:class:`hdl.properties.model.Model` that is only meant to be believed and says what a step does, a subclass of
:class:`hdl.properties.truth.Truth` whose definition it is and that tells it when the decoder takes its steps, the invariants that make it
inductive, and decoders that are broken on purpose, each with the property that has to notice. The rest is :mod:`hdl.properties.broken`'s.
"""
