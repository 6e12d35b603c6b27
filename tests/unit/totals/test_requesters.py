"""How concentrated demand is, against sums in plain Python."""

from collections import Counter

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.data.totals.requesters import concentration

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 50)), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_concentration__any_demand__is_the_plain_sums(rows: list[tuple[int, int]]) -> None:
    counts: Counter[int] = Counter()
    for requester, number in rows:
        counts[requester] += number
    table = pa.table(
        {
            "chain_id": pa.array([1] * len(counts), pa.int64()),
            "address": ["0xaa"] * len(counts),
            "network_id": ["0x01"] * len(counts),
            "requester": [str(one) for one in counts],
            # The zeroth stands for nobody: unsolicited.
            "solicited": [one != 0 for one in counts],
            "inferences": list(counts.values()),
        }
    )

    (row,) = concentration(ibis.memtable(table)).to_pyarrow().to_pylist()

    signed = [number for one, number in counts.items() if one]
    total = sum(counts.values())
    assert (row["found"], row["requesters"]) == (total, len(signed))
    assert row["solicited_share"] == pytest.approx(sum(signed) / total)
    if not signed:
        assert row["top_share"] is None and row["herfindahl"] is None
        return
    shares = [number / sum(signed) for number in signed]
    assert row["top_share"] == pytest.approx(max(shares))
    assert row["herfindahl"] == pytest.approx(sum(share * share for share in shares))
