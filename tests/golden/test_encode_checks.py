"""Every golden encoder refuses what its format cannot hold."""

from typing import Any

import pytest

from golden import codebook, nm, relative, rlc, viterbi
from golden.catalog import CATALOG


@pytest.mark.parametrize(
    ("encoder", "entry", "given", "message"),
    [
        (rlc, "rlc_8bit_n8", [[1, 300, 5]], "level 1 must be between 0 and 255, was 300"),
        (rlc, "rlc_8bit_n8", [[1, -1]], "level 1 must be between 0 and 255, was -1"),
        (rlc, "rlc_tiny", [[0] * 8], "the number of weights must be between 0 and 7, was 8"),
        (nm, "nm_2_4_tiny", [[0, 9, 0, 0]], "level 1 must be between 0 and 3, was 9"),
        (nm, "nm_2_4_tiny", [[0] * 20], "the number of weights must be between 0 and 15, was 20"),
        (relative, "relative_tiny", [[1, 2]], "level 1 must be between 0 and 1, was 2"),
        (relative, "relative_tiny", [[0] * 8], "the number of weights must be between 0 and 7, was 8"),
        (codebook, "codebook_tiny", [[1, 4]], "value 1 must be between 0 and 3, was 4"),
        (viterbi, "viterbi_k3q4", [1] * 300, "the number of weights must be between 0 and 255, was 300"),
    ],
)
def test_what_does_not_fit_is_refused(encoder: Any, entry: str, given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        encoder.encode(given, CATALOG[entry])
