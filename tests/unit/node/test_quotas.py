"""Quotas of requesters.

list      a stranger where none is answered
minute    each requester's own, and all strangers' together; it fills again with time
open      until what is open is final; what got no answer counts no more
stake     the operator's share, and the strangers' share, whoever they say they are
"""

import pytest

from tallystick.node.metrics import Metrics
from tallystick.node.operator.errors import RefusedError
from tallystick.node.operator.quotas import Quotas
from tallystick.node.settings import Quota, Requesters

FRIEND = b"F" * 20


def stranger(number: int) -> bytes:
    return number.to_bytes(20, "big")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def quotas(clock: Clock | None = None, **settings: object) -> Quotas:
    return Quotas(Requesters(known=[FRIEND], **settings), Metrics(), clock or Clock())  # type: ignore[arg-type]


def refused(
    found: Quotas, requesters: list[bytes], capacity: int | None = None, taken: int = 0
) -> int:
    """The status of the refusal of requests."""
    with pytest.raises(RefusedError) as error:
        found.take(requesters, capacity, taken)
    assert "\n" not in error.value.reason
    return error.value.status


def test_take__no_quota_set__anything_goes() -> None:
    found = quotas()
    found.take([stranger(number) for number in range(1000)], None, 0)
    assert not found.count_open


def test_take__not_on_the_list__refused_where_strangers_are() -> None:
    found = quotas(strangers=False)
    found.take([FRIEND], None, 0)
    assert refused(found, [FRIEND, stranger(1)]) == 403
    assert found._metrics.over_quota.labels("strangers")._value.get() == 1


def test_take__each_per_minute__refused_beyond_and_again_taken_later() -> None:
    clock = Clock()
    found = quotas(clock, each=Quota(per_minute=6))
    found.take([FRIEND] * 4, None, 0)
    assert refused(found, [FRIEND] * 3) == 429
    found.take([stranger(1)] * 6, None, 0)
    found.take([FRIEND] * 2, None, 0)
    clock.now += 20
    assert refused(found, [FRIEND] * 3) == 429
    found.take([FRIEND] * 2, None, 0)


def test_take__strangers_per_minute__self_made_keys_share_it() -> None:
    found = quotas(all_strangers=Quota(per_minute=5))
    for number in range(5):
        found.take([stranger(number)], None, 0)
    assert refused(found, [stranger(99)]) == 429
    found.take([FRIEND] * 50, None, 0)


def test_take__refused_in_part__nothing_of_it_counts() -> None:
    found = quotas(each=Quota(per_minute=3), all_strangers=Quota(per_minute=4))
    assert refused(found, [stranger(1)] * 3 + [stranger(2)] * 2) == 429
    found.take([stranger(1)] * 3, None, 0)
    found.take([stranger(2)], None, 0)


def test_take__open_inferences__until_they_are_final() -> None:
    found = quotas(each=Quota(open_inferences=5), all_strangers=Quota(open_inferences=8))
    found.take([stranger(1)] * 5, None, 0)
    found.end([stranger(1)] * 5, answered=True)
    assert refused(found, [stranger(1)]) == 429
    assert refused(found, [stranger(2)] * 4) == 429
    found.note_open({stranger(1): 2})
    found.take([stranger(1)] * 3, None, 0)
    found.take([stranger(2)] * 3, None, 0)
    assert refused(found, [stranger(3)]) == 429


def test_end__no_answer__counts_no_more() -> None:
    found = quotas(each=Quota(open_inferences=5))
    found.take([FRIEND] * 5, None, 0)
    found.end([FRIEND] * 5, answered=False)
    found.take([FRIEND] * 5, None, 0)


def test_note_open__while_some_are_under_way__they_still_count() -> None:
    found = quotas(each=Quota(open_inferences=5))
    found.take([FRIEND] * 5, None, 0)
    found.note_open({})
    assert refused(found, [FRIEND]) == 429


def test_take__operators_share_of_the_stake__open_ones_of_all_count() -> None:
    found = quotas(stake_share=0.5)
    found.take([FRIEND] * 10, 100, 40)
    assert refused(found, [FRIEND] * 11, 100, 40) == 503
    found.take([FRIEND] * 11, None, 40)


def test_take__strangers_share_of_the_stake__self_made_keys_leave_the_rest() -> None:
    found = quotas(strangers_stake_share=0.2)
    for number in range(20):
        found.take([stranger(number)], 100, number)
    assert refused(found, [stranger(99)], 100, 20) == 429
    found.take([FRIEND] * 80, 100, 20)
