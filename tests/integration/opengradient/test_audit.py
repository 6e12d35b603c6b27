"""audit.py: settlements that lie in each way there is, each named and counted; honest ones count.

leaf and root: wrong root | another leaf | an inner node
count: claimed more, fewer than found | the same item again, in a batch, across batches and modes
key: nobody's | disabled, measurement revoked, not registered yet at the item's own time | later
signature: another key's, cut | time: an item of the future
blob: missing, refused, too large, malformed, no Walrus id
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tallystick.chain.rpc.errors import UnavailableError
from tallystick.opengradient.audit import CLOCK_SKEW, LIES, Audited, audit, by_day
from tallystick.opengradient.blobs import BlobSource
from tallystick.opengradient.errors import AuditError
from tests.integration.opengradient.conftest import Auditor
from tests.support.opengradient import (
    LLM,
    MEASUREMENT,
    OpenGradient,
    Tee,
    dump_of,
    value_of,
)


def counts(one: Audited) -> tuple[int, int, int, int, int]:
    return one.settlement.claimed, one.found, one.valid_signatures, one.duplicates, one.verified


def lied(one: Audited) -> dict[str, int]:
    assert set(one.lies) <= set(LIES)
    return dict(one.lies)


def test_audit__honest_settlements__count_in_full(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    now = og.chain.now
    og.settle(tee.items(range(5), now))
    og.settle(tee.items([5], now))
    og.individual(tee.item(6, now))

    results = auditor.run()

    assert [counts(one) for one in results] == [(5, 5, 5, 0, 5), (1, 1, 1, 0, 1), (1, 1, 1, 0, 1)]
    assert [one.settlement.mode for one in results] == ["batch", "batch", "individual"]
    assert [lied(one) for one in results] == [{}, {}, {}]


def test_audit__more_claimed_than_found__is_overclaimed(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(3), og.chain.now), claimed=10**12)
    og.settle(tee.items([3], og.chain.now), claimed=2**256 - 1)

    first, second = auditor.run()

    assert counts(first) == (10**12, 3, 3, 0, 3)
    assert lied(first) == {"overclaimed": 10**12 - 3}
    assert lied(second) == {"overclaimed": 2**256 - 2}
    assert second.verified == 1


def test_audit__fewer_claimed_than_found__counts_no_more(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(4), og.chain.now), claimed=3)

    (one,) = auditor.run()

    assert counts(one) == (3, 4, 4, 0, 3)
    assert lied(one) == {"underclaimed": 1}


def test_audit__root_of_another_tree__counts_nothing(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(4), og.chain.now), root=b"r" * 32)

    (one,) = auditor.run()

    assert counts(one) == (4, 4, 4, 0, 0)
    assert lied(one) == {"wrong_root": 1}


def test_audit__item_that_is_not_the_leaf__is_named(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    items = tee.items(range(4), og.chain.now)
    dump = dump_of(items)
    place = dump["values"][2]["treeIndex"]
    dump["values"][2] = value_of(tee.item(99, og.chain.now), place)
    og.settle(items, dump=dump)

    (one,) = auditor.run()

    assert counts(one) == (4, 4, 4, 0, 3)
    assert lied(one) == {"wrong_leaf": 1}


def test_audit__item_at_an_inner_node__is_named(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    items = tee.items(range(4), og.chain.now)
    dump = dump_of(items)
    dump["values"] += [value_of(tee.item(90 + node, og.chain.now), node) for node in (1, 2)]
    og.settle(items, claimed=6, dump=dump)

    (one,) = auditor.run()

    assert counts(one) == (6, 4, 6, 0, 4)
    assert lied(one) == {"inner_node": 2, "overclaimed": 2}


def test_audit__inner_nodes_as_the_leaves_of_a_smaller_tree__count_nothing(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    items = tee.items(range(4), og.chain.now)
    dump = dump_of(items)
    dump["tree"] = dump["tree"][:3]
    dump["values"] = [value_of(tee.item(90 + node, og.chain.now), node) for node in (1, 2)]
    og.settle(items, claimed=2, dump=dump)

    (one,) = auditor.run()

    assert counts(one) == (2, 2, 2, 0, 0)
    assert lied(one) == {"wrong_leaf": 2}


def test_audit__same_item_again__counts_once_over_batches_and_modes(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    now = og.chain.now
    og.settle(tee.items([0, 1, 1], now))
    og.individual(tee.item(0, now))
    og.settle(tee.items([1, 2], now))
    og.individual(tee.item(3, now))
    og.settle(tee.items([3], now))

    results = auditor.run()

    assert [counts(one)[3:] for one in results] == [(1, 2), (1, 0), (1, 1), (0, 1), (1, 0)]
    assert [lied(one).get("duplicate", 0) for one in results] == [1, 1, 1, 0, 1]
    assert all(set(lied(one)) <= {"duplicate"} for one in results)


def test_audit__forged_copies_before_an_item__leave_it_its_count(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    items = tee.items(range(3), og.chain.now)
    og.settle(items, root=b"r" * 32)
    og.settle([item._replace(signature=bytes(256)) for item in items])
    og.settle(items)

    wrong_root, forged, honest = auditor.run()

    assert (wrong_root.verified, forged.verified) == (0, 0)
    assert lied(forged) == {"bad_signature": 3}
    assert counts(honest) == (3, 3, 3, 0, 3)


@pytest.mark.parametrize(
    "spoil",
    [lambda s: bytes([s[0] ^ 1]) + s[1:], lambda s: s[:-1], lambda s: b"", lambda s: s + b"\0"],
)
def test_audit__bad_signatures__are_counted(
    og: OpenGradient, tee: Tee, auditor: Auditor, spoil: Callable[[bytes], bytes]
) -> None:
    items = tee.items(range(4), og.chain.now)
    for number in (0, 2):
        items[number] = items[number]._replace(signature=spoil(items[number].signature))
    og.settle(items)
    og.individual(items[0])

    batch, single = auditor.run()

    assert counts(batch) == (4, 4, 2, 0, 2)
    assert lied(batch) == {"bad_signature": 2}
    assert counts(single) == (1, 1, 0, 0, 0)
    assert lied(single) == {"bad_signature": 1}


def test_audit__signature_of_another_registered_key__is_bad(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.register(Tee(1))
    og.settle([Tee(1).item(0, og.chain.now)._replace(tee_id=tee.id)])

    (one,) = auditor.run()

    assert lied(one) == {"bad_signature": 1}


def test_audit__key_that_nobody_registered__is_unknown(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    now = og.chain.now
    og.settle([tee.item(0, now), Tee(1).item(1, now)])

    (one,) = auditor.run()

    assert counts(one) == (2, 2, 1, 0, 1)
    assert lied(one) == {"unknown_key": 1}


def test_audit__key_registered_since_the_last_run__is_looked_at_again(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle([Tee(1).item(0, og.chain.now + 1)])
    og.register(Tee(1))
    og.settle([Tee(1).item(1, og.chain.now)])
    later = Tee(2).item(2, og.chain.now + 10)
    og.settle([later])
    assert lied(auditor.run()[2]) == {"unknown_key": 1}
    og.register(Tee(2))

    early, good, late = auditor.run()

    assert lied(early) == {"key_not_valid": 1}
    assert lied(good) == {}
    assert lied(late) == {}


def test_audit__key_disabled_and_enabled__counts_by_each_items_own_time(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    before = og.chain.now
    disabled = og.send(og.registry.functions.disableTEE(tee.id))
    og.chain.at(disabled + 100)
    enabled = og.send(og.registry.functions.enableTEE(tee.id))
    times = [before, disabled - 1, disabled, enabled - 1, enabled]
    og.settle([tee.item(number, timestamp) for number, timestamp in enumerate(times)])

    (one,) = auditor.run()

    assert counts(one) == (5, 5, 5, 0, 3)
    assert lied(one) == {"key_not_valid": 2}
    assert len(one.counted) == 3


def test_audit__measurement_revoked__ends_its_types_keys(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    before = og.chain.now
    revoked = og.send(og.registry.functions.revokePCR(MEASUREMENT, LLM))
    og.settle([tee.item(0, before), tee.item(1, revoked)])

    (one,) = auditor.run()

    assert counts(one) == (2, 2, 2, 0, 1)
    assert lied(one) == {"key_not_valid": 1}


def test_audit__key_of_a_type_without_measurement__is_not_valid(
    og: OpenGradient, auditor: Auditor
) -> None:
    og.register(Tee(1), tee_type=LLM + 1)
    og.settle([Tee(1).item(0, og.chain.now)])

    (one,) = auditor.run()

    assert lied(one) == {"key_not_valid": 1}


@pytest.mark.parametrize(("ahead", "lies"), [(0, {}), (1, {"ahead_of_time": 1})])
def test_audit__item_of_the_future__does_not_count(
    og: OpenGradient, tee: Tee, auditor: Auditor, ahead: int, lies: dict[str, int]
) -> None:
    settled = og.chain.now + 10
    item = tee.item(0, settled + CLOCK_SKEW + ahead)
    og.chain.at(settled)
    og.settle([item])

    (one,) = auditor.run()

    assert lied(one) == lies


def test_audit__timestamp_beyond_64_bits__does_not_count(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.individual(tee.item(0, 2**256 - 1))

    (one,) = auditor.run()

    assert counts(one) == (1, 1, 1, 0, 0)
    assert lied(one) == {"ahead_of_time": 1}


def test_audit__blob_missing_then_found__is_unseen_then_counts(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(3), og.chain.now))
    kept = dict(og.blobs.blobs)
    og.blobs.blobs.clear()

    (unseen,) = auditor.run()
    og.blobs.blobs |= kept
    (seen,) = auditor.run()

    assert (unseen.blob, unseen.unseen, counts(unseen)) == ("missing", True, (3, 0, 0, 0, 0))
    assert lied(unseen) == {}
    assert "has no blob" in unseen.reason
    assert counts(seen) == (3, 3, 3, 0, 3)


def test_audit__server_fails__is_unseen(og: OpenGradient, tee: Tee, auditor: Auditor) -> None:
    og.settle(tee.items(range(3), og.chain.now))
    og.blobs.status[next(iter(og.blobs.blobs))] = 503

    (one,) = auditor.run()

    assert (one.blob, one.unseen) == ("unreadable", True)
    assert "HTTP 503" in one.reason


def test_audit__blob_larger_than_allowed__is_unseen(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(3), og.chain.now))

    (one,) = audit(auditor.extract(), BlobSource(og.blobs.url, max_size=1000), workers=1)

    assert one.blob == "unreadable"
    assert "larger than the 1000 bytes" in one.reason


def test_audit__malformed_blob__is_named(og: OpenGradient, auditor: Auditor) -> None:
    og.batch(b"r" * 32, 7, og.blobs.put(b"[1, 2"))
    og.batch(b"r" * 32, 8, b"../../../etc/passwd")

    first, second = auditor.run()

    assert [counts(one) for one in (first, second)] == [(7, 0, 0, 0, 0), (8, 0, 0, 0, 0)]
    assert [lied(one) for one in (first, second)] == [{"malformed": 1}, {"malformed": 1}]
    assert not first.unseen
    assert "etc/passwd" in second.reason
    assert og.blobs.asked == [next(iter(og.blobs.blobs))]


def test_audit__second_run__asks_for_new_blobs_only(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items([0], og.chain.now))
    first = auditor.run()
    og.settle(tee.items([1, 0], og.chain.now))

    second = auditor.run()

    assert len(og.blobs.asked) == len(set(og.blobs.asked)) == 2
    assert counts(second[0]) == counts(first[0])
    assert counts(second[1]) == (2, 2, 2, 0, 2)


def test_audit__other_logs_of_both_contracts__are_passed_by(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.send(og.registry.functions.heartbeat(tee.id, og.chain.now))
    og.individual(tee.item(0, og.chain.now))

    (one,) = auditor.run()

    assert one.verified == 1


def test_audit__folder_of_blobs__same_as_a_server(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.settle(tee.items(range(3), og.chain.now))
    folder = auditor.data.root / "blobs"
    folder.mkdir(parents=True)
    for name, blob in og.blobs.blobs.items():
        (folder / name).write_bytes(blob)

    (one,) = audit(auditor.extract(), BlobSource(str(folder)), workers=1)

    assert counts(one) == (3, 3, 3, 0, 3)
    assert og.blobs.asked == []


def test_audit__registry_behind_the_relay__is_refused(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    folder = auditor.extract()
    manifest = folder.side.read_manifest(folder.registry)
    manifest.parts = [replace(manifest.parts[0], last=0)]
    manifest.write(folder.side.manifest(folder.registry))

    with pytest.raises(AuditError, match="registry's logs end at block 0"):
        audit(folder, auditor.source())


def test_by_day__two_days__claimed_beside_verified(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    items = tee.items([0, 1, 2, 7], og.chain.now)
    og.settle(items[:3], claimed=5)
    og.chain.at(og.chain.now + 86_400)
    og.settle([items[0], items[3]])
    og.batch(b"r" * 32, 4, b"A" * 43)

    first, second = by_day(auditor.run())

    assert (first["claimed"], first["verified"], first["unseen"]) == (5, 3, 0)
    assert (second["claimed"], second["verified"], second["duplicates"]) == (6, 1, 1)
    assert (second["settlements"], second["unseen"]) == (2, 4)
    assert (second["day"] - first["day"]).days == 1


def test_audit__second_key_of_a_lying_node__is_refused(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.register(Tee(1))
    og.send(og.registry.functions.swapKey(Tee(1).id, tee.der))

    with pytest.raises(UnavailableError, match="gives another key than that of TEE"):
        auditor.extract()


def test_audit__key_that_the_registry_gave_up__is_unknown(
    og: OpenGradient, tee: Tee, auditor: Auditor
) -> None:
    og.send(og.registry.functions.swapKey(tee.id, b""))
    og.individual(tee.item(0, og.chain.now))

    (one,) = auditor.run()

    assert lied(one) == {"unknown_key": 1}
