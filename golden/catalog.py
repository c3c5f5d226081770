"""Named parameter sets: the list of what is verified, swept, held to exact figures and documented.

A new format is announced by one entry of :data:`CATALOG`; the first entry of a format is the one that the demo and ``unprune run`` take.
"""

import json
from collections.abc import Mapping
from typing import Any

from golden.params.base import Parameters, check
from golden.params.bitmap import BitmapParameters
from golden.params.codebook import CodebookParameters
from golden.params.coo import CooParameters
from golden.params.csr import CsrParameters
from golden.params.group import GroupParameters
from golden.params.lookup import LookUpParameters
from golden.params.nm import NmParameters
from golden.params.planes import PlanesParameters
from golden.params.relative import RelativeParameters
from golden.params.rlc import RlcParameters
from golden.params.sparse import SparseParameters
from golden.params.viterbi import ViterbiParameters
from golden.params.viterbi_weight import TAPS_K5_Q4_C3, ViterbiWeightParameters

# Taps found by `python -m unprune.encode.taps`, with its options; the score is the magnitude that the mask keeps of what magnitude
# pruning keeps at the same count, on Gaussian weights.
# 0.852: --k 8 --q 5 --comparator 3 --density 0.0844 --tries 5000 --seed 1
TAPS_K8_Q5_C3 = (0x141, 0x167, 0x1a5, 0x12f, 0x1d7, 0x105, 0x1b1, 0x17b, 0x12f, 0x1b5, 0x16f, 0x1df, 0x1e1, 0x16d, 0x17b)
# 0.861: --k 8 --q 5 --comparator 5 --threshold 3 --density 0.0844 --tries 5000 --seed 0
TAPS_K8_Q5_C5 = (
    0x1cd, 0x1ab, 0x12f, 0x1f5, 0x1bb, 0x1a1, 0x10d, 0x1e7, 0x15b, 0x1c1, 0x161, 0x171, 0x1df,
    0x177, 0x185, 0x1f9, 0x1d3, 0x133, 0x1dd, 0x1b9, 0x149, 0x16d, 0x1fb, 0x151, 0x1ab,
)  # fmt: skip
# 0.872: --k 12 --q 5 --comparator 5 --threshold 3 --density 0.0844 --tries 1500 --seed 0
TAPS_K12_Q5_C5 = (
    0x147d, 0x1663, 0x195d, 0x1745, 0x1cd3, 0x1741, 0x1481, 0x180d, 0x1655, 0x1937, 0x1fab, 0x131f, 0x19e3,
    0x1e9f, 0x16ed, 0x1a11, 0x1c4b, 0x1563, 0x1295, 0x1d7f, 0x1725, 0x1d5b, 0x16af, 0x14b9, 0x10c5,
)  # fmt: skip
# 0.754 at density 0.5, which is all that a plain XOR output can do: --k 8 --q 16 --light --tries 5000 --seed 1 (0.758 without --light and
# with --seed 0, for more area and a lower clock rate)
TAPS_K8_Q16 = (0x43, 0x181, 0x19, 0x33, 0x23, 0x13, 0x103, 0x63, 0x31, 0xc1, 0xc3, 0x183, 0xd, 0x83, 0x101, 0x61)
# 0.635: --k 8 --q 16 --comparator 3 --density 0.0844 --tries 500 --seed 1
TAPS_K8_Q16_C3 = (
    0x101, 0x10d, 0x10b, 0x1b9, 0x171, 0x10b, 0x17f, 0x173, 0x1b3, 0x14d, 0x141, 0x181, 0x1b9, 0x1af, 0x189, 0x133,
    0x103, 0x169, 0x1c7, 0x10b, 0x1cb, 0x181, 0x1b1, 0x14f, 0x13b, 0x141, 0x121, 0x1ab, 0x159, 0x15f, 0x125, 0x115,
    0x197, 0x167, 0x17f, 0x173, 0x1bd, 0x135, 0x105, 0x177, 0x17f, 0x189, 0x10f, 0x119, 0x1b9, 0x10b, 0x1c7, 0x107,
)  # fmt: skip
TAPS_K3_Q4 = (0b1101, 0b1011, 0b1111, 0b1001)
TAPS_K3_Q4_ODD = (0b1101, 0b1011, 0b1111, 0b0101)  # makes masks of an odd number of ones too
TAPS_K4_P2 = (0x25, 0x33, 0x21, 0x3f, 0x39, 0x35, 0x2f, 0x3d, 0x27, 0x3b, 0x2b, 0x31)

CATALOG: dict[str, Parameters] = {
    p.name: p
    for p in (
        ViterbiParameters(name="viterbi_k8q5c3", k=8, q=5, comparator=3, steps=8, taps=TAPS_K8_Q5_C3),
        ViterbiParameters(name="viterbi_k8q5c3_fast", k=8, q=5, comparator=3, steps=8, taps=TAPS_K8_Q5_C3, pipeline=True, skid=True),
        ViterbiParameters(name="viterbi_k8q5c5", k=8, q=5, comparator=5, threshold=3, steps=8, taps=TAPS_K8_Q5_C5),
        ViterbiParameters(name="viterbi_k12q5c5", k=12, q=5, comparator=5, threshold=3, steps=8, taps=TAPS_K12_Q5_C5),
        ViterbiParameters(name="viterbi_k5q4c3", k=5, q=4, comparator=3, steps=8, taps=TAPS_K5_Q4_C3),
        ViterbiParameters(name="viterbi_k8q16", k=8, q=16, taps=TAPS_K8_Q16),
        ViterbiParameters(name="viterbi_k8q16_w32", k=8, q=16, taps=TAPS_K8_Q16, word_bits=32),
        ViterbiParameters(name="viterbi_k8q16_n8", k=8, q=16, steps=8, taps=TAPS_K8_Q16),
        ViterbiParameters(name="viterbi_k8q16c3_n8", k=8, q=16, comparator=3, steps=8, taps=TAPS_K8_Q16_C3, pipeline=True),
        ViterbiParameters(name="viterbi_k3q4", k=3, q=4, taps=TAPS_K3_Q4, block_steps=16, count_bits=8),
        ViterbiParameters(
            name="viterbi_k4p2q6c2", k=4, p=2, q=6, comparator=2, threshold=2, steps=3, taps=TAPS_K4_P2, block_steps=9, skid=True
        ),
        CsrParameters(name="csr_dense8", count_bits=16, dense=True, lanes=8),
        CsrParameters(name="csr_survivors", count_bits=16),
        CsrParameters(name="csr_survivors_wide", row_bits=20, column_bits=20, value_bits=16, skid=True),
        CsrParameters(name="csr_survivors_odd", row_bits=5, column_bits=7, value_bits=5, count_bits=9, skid=True),
        CsrParameters(name="csr_survivors_tiny", row_bits=2, column_bits=2, value_bits=1, count_bits=3),
        CsrParameters(name="csr_survivors_p2_tiny", row_bits=2, column_bits=2, value_bits=1, count_bits=3, pointers=2),
        CsrParameters(name="csr_survivors_p4", count_bits=16, pointers=4),
        CsrParameters(name="csr_dense32", count_bits=16, dense=True, lanes=32, value_bits=4, skid=True),
        CsrParameters(name="csr_dense_tiny", row_bits=3, column_bits=3, value_bits=3, count_bits=5, dense=True, lanes=2),
        CsrParameters(name="csr_dense1", row_bits=6, column_bits=5, value_bits=7, count_bits=10, dense=True),
        CsrParameters(name="csr_dense16_s4", count_bits=16, dense=True, lanes=16, pairs=4),
        CsrParameters(name="csr_dense_s2_tiny", row_bits=3, column_bits=3, value_bits=3, count_bits=5, dense=True, lanes=2, pairs=2),
        RlcParameters(name="rlc_8bit_n8", run_bits=4, level_bits=8, pairs_per_word=5, lanes=8),
        RlcParameters(name="rlc_8bit_n4", run_bits=4, level_bits=8, pairs_per_word=5, lanes=4),
        RlcParameters(name="rlc_eyeriss"),
        RlcParameters(name="rlc_eyeriss_skid", skid=True),
        RlcParameters(name="rlc_eyeriss_lsb_n1", order="lsb", lanes=1),
        RlcParameters(name="rlc_eyeriss_n16", lanes=16),
        RlcParameters(name="rlc_unmarked_n2", run_bits=3, level_bits=5, pairs_per_word=4, word_bits=32, marker=False, lanes=2),
        RlcParameters(name="rlc_lecture_n4", run_bits=4, level_bits=8, pairs_per_word=5, marker=False, terminator=True),
        RlcParameters(
            name="rlc_lecture_tiny", run_bits=1, level_bits=1, pairs_per_word=2, word_bits=4, marker=False, terminator=True, lanes=2,
            count_bits=3,
        ),
        RlcParameters(name="rlc_tiny", run_bits=1, level_bits=1, pairs_per_word=2, word_bits=5, lanes=2, count_bits=3),
        RlcParameters(
            name="rlc_one_pair_n8", run_bits=2, level_bits=3, pairs_per_word=1, word_bits=9, order="lsb", lanes=8, count_bits=7, skid=True
        ),
        NmParameters(name="nm_2_4"),
        NmParameters(name="nm_2_4_g16_skid", groups=16, skid=True),
        NmParameters(name="nm_1_2", n=1, m=2, value_bits=4, groups=8, count_bits=16),
        NmParameters(name="nm_4_8", n=4, m=8, groups=2, value_bits=16),
        NmParameters(name="nm_3_8_odd", n=3, m=8, value_bits=5, groups=3, count_bits=9, skid=True),
        NmParameters(name="nm_2_4_tiny", groups=1, value_bits=2, count_bits=4),
        RelativeParameters(name="relative_g4_n8", lanes=8),
        RelativeParameters(name="relative_g4_high_n4", order="high", pairs_per_word=6),
        RelativeParameters(name="relative_g5_n16", gap_bits=5, lanes=16),
        RelativeParameters(name="relative_g8_n1", gap_bits=8, value_bits=16, pairs_per_word=1, lanes=1, skid=True),
        RelativeParameters(name="relative_tiny", gap_bits=1, value_bits=1, pairs_per_word=2, lanes=2, count_bits=3),
        CodebookParameters(name="codebook_c8_n8", code_bits=8, value_bits=8, lanes=8),
        CodebookParameters(name="codebook_c4_n4"),
        CodebookParameters(name="codebook_c8_n1", code_bits=8, value_bits=32, lanes=1, skid=True),
        CodebookParameters(name="codebook_tiny", code_bits=1, value_bits=2, lanes=2, count_bits=4),
        SparseParameters(name="sparse_rlc_n8", of=RlcParameters(run_bits=4, level_bits=8, pairs_per_word=5, lanes=8)),
        SparseParameters(name="sparse_rlc_n1", of=RlcParameters(lanes=1, count_bits=9), skid=True),
        SparseParameters(
            name="sparse_rlc_tiny", of=RlcParameters(run_bits=1, level_bits=2, pairs_per_word=2, word_bits=7, lanes=2, count_bits=5)
        ),
        SparseParameters(
            name="sparse_csr_tiny", of=CsrParameters(row_bits=3, column_bits=3, value_bits=3, count_bits=5, dense=True, lanes=2)
        ),
        BitmapParameters(name="bitmap_n16"),
        BitmapParameters(name="bitmap_n128", lanes=128, values=128),
        BitmapParameters(name="bitmap_n5_s2_skid", lanes=5, value_bits=5, values=2, count_bits=9, skid=True),
        BitmapParameters(name="bitmap_n1", lanes=1, value_bits=3, values=1, count_bits=4),
        ViterbiWeightParameters(name="viterbi_weight_k8q5c3", k=8, q=5, comparator=3, steps=8, taps=TAPS_K8_Q5_C3),
        ViterbiWeightParameters(
            name="viterbi_weight_k3q4", k=3, q=4, taps=TAPS_K3_Q4_ODD, block_steps=4, value_bits=2, values=4, count_bits=6
        ),
        CooParameters(name="coo_dense8"),
        CooParameters(name="coo_survivors", dense=False, lanes=1),
        CooParameters(name="coo_dense4_skid", lanes=4, value_bits=5, count_bits=7, skid=True),
        CooParameters(name="coo_dense_tiny", lanes=1, value_bits=2, count_bits=3),
        CooParameters(name="coo_survivors_tiny", dense=False, lanes=1, value_bits=2, count_bits=3),
        GroupParameters(name="group_g4_n8", count_bits=16),
        GroupParameters(
            name="group_g8_n32_skid", group=8, value_bits=5, row_bits=6, column_bits=5, count_bits=9, lanes=32, skid=True
        ),
        GroupParameters(name="group_g2_tiny", group=2, value_bits=1, row_bits=2, column_bits=2, count_bits=4, lanes=2),
        PlanesParameters(name="planes_k12q40"),
        PlanesParameters(
            name="planes_k0q6_n2_skid", value_bits=5, k=0, p=3, q=6, steps=2, block_steps=6, gap_bits=1, patches=3, count_bits=9, skid=True
        ),
        PlanesParameters(name="planes_k8q16_n4_skid", k=8, p=2, q=16, steps=4, patches=4, skid=True),
        PlanesParameters(name="planes_tiny", value_bits=1, k=1, p=1, q=2, block_steps=2, gap_bits=2, patches=1, count_bits=4),
        LookUpParameters(name="lookup_s8"),
        LookUpParameters(
            name="lookup_s6_odd_skid", row_bits=5, column_bits=7, value_bits=5, survivor_bits=6, count_bits=9, skid=True
        ),
        LookUpParameters(name="lookup_tiny", row_bits=3, column_bits=2, value_bits=2, survivor_bits=2, count_bits=4),
    )
}

FORMATS: dict[str, type[Parameters]] = {p.format: type(p) for p in CATALOG.values()}
DEFAULTS: dict[str, Parameters] = {p.format: p for p in reversed(CATALOG.values())}


def from_dict(values: Mapping[str, Any]) -> Parameters:
    """The parameters that :meth:`Parameters.to_dict` wrote; ``values["format"]`` says of which format."""
    if not isinstance(values, Mapping):
        raise TypeError(f"parameters must be a JSON object, was {values!r}")
    check(values.get("format") in list(FORMATS), "format", f"one of {', '.join(FORMATS)}", values.get("format"))
    return FORMATS[values["format"]].from_dict(values)


def from_json(text: str) -> Parameters:
    """The parameters that :meth:`Parameters.to_json` wrote."""
    return from_dict(json.loads(text))
