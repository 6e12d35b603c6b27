"""One resolver that networks of a registry name: its code and terms, its seats, its rulings."""

from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import NetworkKey, ResolverKey, condition
from tallystick.dashboard.snapshot import NotHereError, Snapshot
from tallystick.data.resolvers.kinds import GRADES
from tallystick.data.resolvers.pool_facts import EpochSeats
from tallystick.data.resolvers.standing import Resolver, seats_to_json, to_json

MOST = 100
"""Of the networks that name it: anybody may register one that does."""
_RULINGS = """
SELECT count(*) FILTER (ended_as IS NULL) AS open,
    count(*) FILTER (ended_as = 'upheld') AS upheld,
    count(*) FILTER (ended_as = 'lapsed') AS lapsed
FROM disputes WHERE kind = 'challenge' AND {condition}
"""

Places = list[tuple[NetworkKey, str, Resolver]]
"""Networks that name a resolver, each with its place in the rules and its standing there."""


def resolver(snapshot: Snapshot, key: ResolverKey) -> Row:
    """Return what api_resolvers.ResolverInFull takes; NotHereError when no network names it."""
    return snapshot.once(("resolver", key), lambda: _resolver(snapshot, key))


def resolver_keys(snapshot: Snapshot, most: int) -> list[ResolverKey]:
    """Return resolvers in the order of the ranking of who names them, at most so many."""
    found = {
        ResolverKey(network.chain_id, network.core, one.address): None
        for network in snapshot.network_keys()
        for one in snapshot.resolvers(network).values()
    }
    return list(found)[:most]


def seats(snapshot: Snapshot, key: ResolverKey) -> list[Row]:
    """Return the accounts with seats of a pool, those with most first; none of another kind."""
    held = _seats_of(_places(snapshot, key))
    if held is None:
        return []
    order = sorted(held.accounts.items(), key=lambda one: (-one[1], one[0]))
    return [
        {"account": account, "seats": count, "share": count / held.seats}
        for account, count in order
    ]


def _resolver(snapshot: Snapshot, key: ResolverKey) -> Row:
    places = _places(snapshot, key)
    first = places[0][2]
    held = _seats_of(places)
    arbitrates = any(place not in GRADES for _, place, _ in places)
    ruled: Row | None = None
    if arbitrates:
        (ruled,) = snapshot.events.rows(_RULINGS.format(condition=condition(key)), *key)
        ruled |= {"convictions": snapshot.disputes.rejected_count(key)}
    return {
        **key._asdict(),
        "name": first.name,
        "terms": first.terms,
        "pool": bool(first.kind and first.kind.drawn),
        "seats": seats_to_json(held) if held else None,
        "rulings": ruled,
        "networks": [_named_by(snapshot, *one) for one in places[:MOST]],
        "networks_total": len(places),
    }


def _places(snapshot: Snapshot, key: ResolverKey) -> Places:
    found = [
        (network, place, one)
        for network in snapshot.network_keys()
        if (network.chain_id, network.core) == key[:2]
        for place, one in snapshot.resolvers(network).items()
        if one.address == key.resolver
    ]
    if not found:
        raise NotHereError(f"no network of the registry names resolver {key.resolver}")
    return found


def _seats_of(places: Places) -> EpochSeats | None:
    return next((one.seats for _, _, one in places if one.seats is not None), None)


def _named_by(snapshot: Snapshot, network: NetworkKey, place: str, one: Resolver) -> Row:
    told = snapshot.network(network)
    grade = GRADES.get(place)
    return (
        network._asdict()
        | {"name": told["name"], "gives": grade or "arbiter", "rank": told["rank"]}
        | {
            name: value
            for name, value in to_json(one, grade or "arbiter").items()
            if name != "name"
        }
        | {"counted": told[grade] if grade else None}
    )
