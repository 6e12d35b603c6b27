"""Standing of the contracts that a network's rules name, read on chain now."""

from collections.abc import Iterable
from typing import Any

from tallystick.chain.pool import Pool, Standing
from tallystick.cli.session import Session
from tallystick.data.resolvers.identify import facts_at
from tallystick.data.resolvers.kinds import ARBITER, DRAWN, GRADES
from tallystick.data.resolvers.pool_facts import AuditRecord, EpochSeats, PoolFacts
from tallystick.data.resolvers.standing import NONE, resolvers_of
from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.ledger import Ledger, Network
from tallystick.protocol.pool import epoch_of


def standings(session: Session, network: Network, ledger: Ledger) -> list[dict[str, Any]]:
    """Return a row for each attestor and the arbiter, with each condition that it doesn't meet.

    Raises:
        RpcError: no node answers.
    """
    rules, row = network.rules, _row(network)
    latest = session.w3.eth.get_block("latest")
    named = sorted({row[f"rules_{place}"] for place in (*GRADES, ARBITER)} - {NONE})
    if not named:
        return []
    urls = (session.w3.provider.endpoint_uri, *session.more_rpcs)  # type: ignore[attr-defined]
    facts = facts_at(urls, named, int(latest["number"]))
    auditor = to_hex(rules.attestors[0])
    counts = [one.batch.count for one in ledger.batches.values() if one.grade is Grade.AUDITED]
    pools = {
        address: PoolFacts(
            _seats(session, from_hex(address), int(latest["number"]), int(latest["timestamp"])),
            {to_hex(network.id): _audits(counts if address == auditor else ())},
        )
        for address, fact in facts.items()
        if fact["name"] in DRAWN and fact["constructed"]
    }
    registry = to_hex(session.registry.address)
    return [
        {
            "of": GRADES.get(place, "arbiter"),
            "address": from_hex(one.address),
            "name": one.name,
            "standing": one.standing,
            "unmet": [unmet.to_json(GRADES.get(place, "arbiter")) for unmet in one.unmet],
        }
        for place, one in resolvers_of(row, registry, facts, pools).items()
    ]


def _row(network: Network) -> dict[str, Any]:
    """Return what resolvers_of reads of a row of NetworkRegistered."""
    rules = network.rules
    places = {f"rules_attestors_{n}": to_hex(one) for n, one in enumerate(rules.attestors)}
    return {
        "network_id": to_hex(network.id),
        "rules_asset": to_hex(rules.asset),
        "rules_arbiter": to_hex(rules.arbiter),
        "rules_stake_per_inference": hex(rules.stake_per_inference),
        "rules_challenge_bond": hex(rules.challenge_bond),
        **places,
    }


def _seats(session: Session, address: bytes, block: int, now: int) -> EpochSeats:
    pool, epoch, accounts = Pool(session.w3, address), epoch_of(now), dict[str, int]()
    entries = pool.entries(epoch, block)
    members = pool.members([one.key for one in entries], block)
    for entry, member in zip(entries, members, strict=True):
        account = to_hex(member.account)
        accounts[account] = accounts.get(account, 0) + entry.count
    out = [one.standing is Standing.CONVICTED for one in members]
    convicted = sum(entry.count for entry, is_out in zip(entries, out, strict=True) if is_out)
    return EpochSeats(block, epoch, sum(one.count for one in entries), accounts, convicted)


def _audits(counts: Iterable[int]) -> tuple[AuditRecord, ...]:
    """Return records of which only the batches' sizes are asked."""
    return tuple(AuditRecord(count, 0) for count in counts)
