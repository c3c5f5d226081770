"""Holds the Viterbi weight decompressor to the contract, by the tests of the bitmap decoder, whose masks it makes itself."""

from sim.bench_bitmap import (  # noqa: F401 - the simulator runs what it finds here
    beats_without_data,
    full_rate,
    malformed_lengths,
    matrices_under_stalls,
    rate_of_few_values,
    reset_in_flight,
    short_matrices_at_full_rate,
    values_missing_at_every_place,
)
