"""The sparse view: survivors of what the decoder gives, its errors, its parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import rlc, sparse, viterbi_weight
from golden.catalog import CATALOG, from_json
from golden.params.coo import CooParameters
from golden.params.csr import CsrParameters
from golden.params.group import GroupParameters
from golden.params.rlc import RlcError, RlcParameters
from golden.params.sparse import SparseParameters

OF = RlcParameters(run_bits=2, level_bits=3, pairs_per_word=2, word_bits=12, lanes=2, count_bits=7)
VIEW = SparseParameters(of=OF)


@given(st.lists(st.integers(0, 7) | st.just(0), max_size=40))
def test_survivors_put_back_are_the_matrix(row):
    decoded = sparse.decode(sparse.encode([row], VIEW), VIEW)
    found = dict(decoded.elements)
    assert [found.get(position, 0) for position in range(len(row))] == row
    assert decoded.error == 0
    assert 0 not in found.values()
    assert [position for position, _ in decoded.elements] == sorted(found)


@given(st.integers(0, 12), st.lists(st.none() | st.integers(0, (1 << 12) - 1), max_size=8))
def test_whatever_comes_the_survivors_and_the_error_are_the_decoders(count, code):
    shares = {"shape": [count], "code": code}
    inner, view = rlc.decode(shares, OF), sparse.decode(shares, VIEW)
    assert view.error == inner.error
    assert view.elements == [(position, level) for position, level in enumerate(inner.elements) if level]


def test_positions_are_row_major_where_rows_start_new_beats():
    view = SparseParameters(of=CsrParameters.weights(4))
    shares = sparse.encode([[1, 0, 0, 0, 2], [0, 0, 0, 0, 0], [0, 3, 0, 0, 0]], view)
    assert sparse.decode(shares, view).elements == [(0, 1), (4, 2), (11, 3)]


def test_gains_choose_which_weights_survive():
    view = SparseParameters(of=CATALOG["viterbi_weight_k3q4"])
    shares = sparse.encode([[1, 2, 3, 1]], view, gains=[1, -1, 9, 1])
    assert shares == viterbi_weight.encode([[1, 2, 3, 1]], [1, -1, 9, 1], view.of)
    assert (2, 3) in sparse.decode(shares, view).elements


def test_a_position_is_as_wide_as_the_largest_matrix_needs():
    assert SparseParameters(of=CsrParameters.weights(8, row_bits=9, column_bits=7, count_bits=12)).position_bits == 16
    assert SparseParameters(of=CsrParameters(dense=True, row_bits=1, column_bits=1)).position_bits == 1
    assert SparseParameters(of=GroupParameters(row_bits=9, column_bits=7, group=4)).position_bits == 18
    assert SparseParameters(of=CooParameters(count_bits=12)).position_bits == 12


def test_parameters_follow_from_the_decoders_and_come_back_from_json():
    view = CATALOG["sparse_rlc_n1"]
    assert from_json(view.to_json()) == view
    assert from_json(view.to_json()).name == view.name
    assert (view.count_bits, view.errors, view.inputs) == (9, RlcError, view.of.inputs)
    assert [field.bits for field in view.output.fields] == [9, 16]
    assert SparseParameters(of=OF, count_bits=20).count_bits == 7
    assert SparseParameters(of=OF).name.startswith("sparse_rlc_n2_")


def test_what_has_no_sparse_view_is_refused():
    with pytest.raises(TypeError, match=r"^of must be the parameters of a decoder, was 'rlc'$"):
        SparseParameters(of="rlc")
    with pytest.raises(ValueError, match=r"^of must be a decoder that gives weights, was 'viterbi_k3q4'$"):
        SparseParameters(of=CATALOG["viterbi_k3q4"])
    with pytest.raises(ValueError, match=r"^of must be a decoder that gives weights, was 'csr_survivors'$"):
        SparseParameters(of=CATALOG["csr_survivors"])
    with pytest.raises(ValueError, match=r"^the decoder must be one that gives as many weights as its shape says, was 'lookup_s8'$"):
        SparseParameters(of=CATALOG["lookup_s8"])
    with pytest.raises(ValueError, match=r"^of must be without a skid buffer \(skid of the view cuts the same path\), was 'rlc_"):
        SparseParameters(of=RlcParameters(skid=True))
    with pytest.raises(ValueError, match=r"^the format of of must be one of .*, was 'zip'$"):
        SparseParameters.from_dict({"of": {"format": "zip"}})
