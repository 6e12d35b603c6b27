"""Events of a pool, whole: every balance follows from them. And the largest panel there may be."""

from typing import Any

import pytest

from tallystick.protocol.enums import Grade, Ruling
from tallystick.protocol.pool import EPOCH, FINDERS, NO_RECORD, Quorums, case_id, epoch_of
from tests.contracts.pool.conftest import MANY
from tests.support.chain import Chain, Mined
from tests.support.pool import (
    CREDIT,
    FEE,
    MIN_DRAWN,
    RULE_FEE,
    SEAT_STAKE,
    SEED_DELAY,
    Pool,
    deploy,
    filled,
)
from tests.support.story import Committed, Network, register


def told(pool: Pool, mined: Mined, name: str) -> list[dict[str, Any]]:
    """Arguments of a transaction's events of a kind; addresses as bytes."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        return bytes.fromhex(value[2:]) if isinstance(value, str) else value

    number = mined.block_number
    logs = getattr(pool.contract.events, name)().get_logs(from_block=number, to_block=number)
    return [{key: plain(value) for key, value in log["args"].items()} for log in logs]


def masks(signed: dict[int, Any]) -> bytes:
    return b"".join(one.mask.to_bytes(8, "big") for one in signed.values())


def test_audit__event__names_keys_places_and_fees(
    chain: Chain, pool: Pool, batch: Committed, operator: bytes
) -> None:
    record, signed = pool.audited(batch)

    (found,) = told(pool, pool.audit(batch, signed), "AuditStored")

    assert found == {
        "batchId": batch.id,
        "operator": operator,
        "networkId": batch.batch.network_id,
        "seed": record.seed,
        "epoch": epoch_of(batch.stamp.committed_at),
        "keys": list(record.keys),
        "places": masks(signed),
        "fee": FEE * MIN_DRAWN,
        "sender": chain.accounts[9],
    }


@pytest.mark.parametrize("seats", [MANY], ids=["many"])
def test_case__events__from_the_appeal_to_the_sweep(
    chain: Chain, pool: Pool, audited_network: Network, operator: bytes
) -> None:
    payer = pool.member(99)
    pool.fund(payer)
    audited_network.fund(payer)
    batch = audited_network.commit(operator, slot=4, count=40)
    record, signed = pool.audited(batch, places=5)
    pool.audit(batch, signed)
    index = pool.drawn(batch, record)[0]
    key = case_id(batch.id, index)
    opened = pool.appeal(payer, batch, index, record)
    assert told(pool, opened, "CaseOpened") == [
        {
            "caseId": key,
            "batchId": batch.id,
            "leafIndex": index,
            "payer": payer,
            "seedBlock": opened.block_number + SEED_DELAY,
            "epoch": epoch_of(opened.timestamp),
            "challenged": False,
        }
    ]
    signed = pool.verdict(batch, index, Ruling.REJECTED, barred=record.keys)
    keys = [pool.list_of(batch)[entry].key for entry in signed]

    mined = pool.ruled(batch, index, Ruling.REJECTED, signed, record)

    assert told(pool, mined, "Ruled") == [
        {
            "caseId": key,
            "batchId": batch.id,
            "ruling": Ruling.REJECTED,
            "keys": keys,
            "places": masks(signed),
            "sender": chain.accounts[9],
        }
    ]
    stake = 2 * SEAT_STAKE
    share = stake // FINDERS
    expected = [
        {"key": one, "batchId": batch.id, "burned": stake - share, "finder": payer, "share": share}
        for one in record.keys
    ]
    assert told(pool, mined, "Convicted") == expected
    (rewarded,) = told(pool, mined, "Rewarded")
    assert (rewarded["caseId"], rewarded["payer"]) == (key, payer) and rewarded["amount"] > 0
    swept = pool.send(payer, "sweep")
    assert told(pool, swept, "Swept") == [{"amount": len(record.keys) * (stake - share)}]


def test_seats_and_money__events__name_key_account_and_amounts(chain: Chain) -> None:
    pool, key, account = deploy(chain), chain.accounts[0], chain.accounts[7]
    deposited = pool.send(account, "deposit", key, CREDIT, value=CREDIT)
    assert told(pool, deposited, "Deposited") == [
        {"account": key, "payer": account, "amount": CREDIT}
    ]
    enrolled = pool.enroll(0, 5, account)
    assert told(pool, enrolled, "Enrolled") == [
        {
            "key": key,
            "account": account,
            "epoch": epoch_of(enrolled.timestamp) + 1,
            "first": 0,
            "seats": 5,
            "added": 5,
        }
    ]
    assert told(pool, pool.send(account, "close", key), "Closed") == [{"key": key}]
    funded = pool.send(key, "fund", 70)
    assert told(pool, funded, "Funded") == [{"operator": key, "amount": 70}]
    noticed = pool.send(key, "notice")
    assert told(pool, noticed, "Noticed") == [{"operator": key, "due": noticed.timestamp + EPOCH}]
    chain.at(noticed.timestamp + 6 * EPOCH)
    assert told(pool, pool.send(key, "defund"), "Defunded") == [{"operator": key, "amount": 70}]
    assert told(pool, pool.send(account, "collect", key), "Collected") == [{"key": key, "fees": 0}]
    left = pool.send(account, "leave", key)
    assert told(pool, left, "Left") == [{"key": key, "stake": 5 * SEAT_STAKE, "fees": 0}]
    withdrawn = pool.send(account, "withdraw", 5 * SEAT_STAKE)
    assert told(pool, withdrawn, "Withdrawn") == [{"account": account, "amount": 5 * SEAT_STAKE}]


def test_largest_panel__everybody_signs__each_place_is_theirs_and_paid(
    chain: Chain, network_owner: bytes, operator: bytes
) -> None:
    pool = filled(deploy(chain, panel=31, min_seats=248), [3] * 90)
    places = Quorums.of(31)
    network = register(
        *(chain, network_owner),
        salt=5,
        arbiter=pool.address,
        attestors=(pool.address, bytes(20), bytes(20)),
    )
    payer = pool.member(99)
    for account in (operator, payer):
        pool.fund(account)
        network.fund(account)
    network.join(operator)
    pool.send(operator, "fund", 10_000)
    batch = network.commit(operator, count=40)
    standing = batch.pre_image(batch.demand(payer))
    record, signed = pool.audited(batch)
    mined = pool.audit(batch, signed, standing)
    (found,) = told(pool, mined, "AuditStored")
    assert found["places"] == masks(signed) and found["keys"] == list(record.keys)
    assert pool.read("recordOf", batch.id) == record.hash()
    assert batch.status().grade is not Grade.AUDITED
    other = network.commit(operator, slot=1, count=40)
    shield = other.pre_image(other.demand(payer))
    pool.appeal(payer, other, 3, pre_image=shield)
    signed = pool.verdict(other, 3, Ruling.UPHELD)
    before = [pool.read("memberOf", pool.list_of(other)[entry].key)[4] for entry in signed]

    mined = pool.ruled(other, 3, Ruling.UPHELD, signed, NO_RECORD, shield)

    (found,) = told(pool, mined, "Ruled")
    assert found["places"] == masks(signed)
    after = [pool.read("memberOf", key)[4] for key in found["keys"]]
    earned = [now - then for now, then in zip(after, before, strict=True)]
    assert earned == [RULE_FEE * len(one.places) for one in signed.values()]
    assert sum(earned) == RULE_FEE * places.judges
