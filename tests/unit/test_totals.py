"""totals.py: each event changes its counter only."""

from hypothesis import given
from hypothesis import strategies as st

from tallystick.protocol.enums import Outcome
from tallystick.protocol.totals import Totals

counts = st.integers(0, 2**48)
any_totals = st.builds(Totals, counts, counts, counts, counts, counts, counts, counts, counts)


@given(any_totals, st.sampled_from(Outcome), counts)
def test_finalize__any_outcome__moves_its_counter_only(
    totals: Totals, outcome: Outcome, count: int
) -> None:
    after = totals.finalize(outcome, count)

    changed = {name for name in Totals.__slots__ if getattr(after, name) != getattr(totals, name)}
    assert changed == ({outcome.name.lower()} if count else set())
    assert after.open == totals.open - count
    proved = outcome in (Outcome.AUDITED, Outcome.ENCLAVE, Outcome.PROVEN)
    assert after.verified == totals.verified + (count if proved else 0)


@given(any_totals, counts, counts)
def test_commit_and_reject__any_counts__cancel_in_open(
    totals: Totals, count: int, burn: int
) -> None:
    after = totals.commit(count).reject(count, burn)

    assert after.open == totals.open
    assert after.burned == totals.burned + burn
    assert after == totals.commit(count).burn(burn).reject(count, 0)


def test_verified__every_counter_set__sums_three() -> None:
    totals = Totals(100, 1, 2, 4, 8, 16, 32, 64)

    assert (totals.verified, totals.open) == (14, 37)
