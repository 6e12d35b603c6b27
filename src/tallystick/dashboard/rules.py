"""A network's rules in plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

from tallystick.dashboard.chains import symbol
from tallystick.data.resolvers.kinds import ARBITER, GRADES
from tallystick.data.resolvers.pool_facts import EpochSeats
from tallystick.data.resolvers.standing import NONE, Resolver


def in_words(rules: Mapping[str, Any], resolvers: Mapping[str, Resolver]) -> list[str]:
    """Return sentences that say what a network's rules mean.

    Args:
        rules: a row of NetworkRegistered.
        resolvers: of the network, by place.
    """
    return list(_sentences(rules, resolvers))


def duration(seconds: int) -> str:
    """Return a time as people say it.

    >>> duration(86400), duration(5400), duration(61)
    ('1 day', '90 minutes', '61 seconds')
    """
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "0 seconds"


def amount(units: int, currency: str) -> str:
    """Return an amount as people say it; a chain's own currency has 18 decimals.

    >>> amount(10**14, "ETH"), amount(10**18, "ETH"), amount(5, "")
    ('0.0001 ETH', '1 ETH', '5 units')
    """
    if not currency:
        return f"{units} units"
    coins, rest = divmod(units, 10**18)
    return f"{coins}.{rest:018}".rstrip("0").rstrip(".") + f" {currency}"


def _sentences(rules: Mapping[str, Any], resolvers: Mapping[str, Resolver]) -> Iterator[str]:
    stake, bond, demand = (
        int(rules[f"rules_{name}"], 16)
        for name in ("stake_per_inference", "challenge_bond", "demand_bond")
    )
    currency = symbol(rules["chain_id"]) if rules["rules_asset"] == NONE else ""
    if currency:
        yield "Stake and bonds are in the chain's own currency."
    else:
        yield f"Stake and bonds are in units of the token {rules['rules_asset']}."
    if rules["rules_permissionless"]:
        yield "Anyone can run an operator or register a model."
    else:
        yield "The owner admits operators and registers models."
    if rules["rules_solicited"]:
        yield "Every inference needs a requester's signature."
    else:
        yield "Inferences may be committed that nobody signed for."
    if stake:
        locked = amount(stake, currency)
        yield f"An operator locks {locked} for each inference until it is final or rejected."
    else:
        yield "Operators lock no stake: the network is unbacked."
    for place, grade in GRADES.items():
        if place in resolvers:
            yield f"{grade.capitalize()} is given by {_told(resolvers[place])}."
        else:
            yield f"{grade.capitalize()} is not available: no resolver gives it."
    if ARBITER not in resolvers:
        yield "There is no arbiter: an inference cannot be challenged."
    else:
        yield (
            f"Anyone can challenge an inference for a bond of {amount(bond, currency)}; "
            f"{_told(resolvers[ARBITER])}, has {duration(rules['rules_ruling_window'])} to rule."
        )
    most = rules["rules_max_bytes"]
    yield (
        f"Anyone can demand an inference's data for a bond of {amount(demand, currency)}, "
        + (
            f"with up to {most} byte{'s' * (most > 1)} of input and output"
            if most
            else "without input and output"
        )
        + f"; the operator has {duration(rules['rules_response_window'])} to reveal it."
    )
    window = duration(rules["rules_challenge_window"])
    yield f"A batch becomes final {window} after it was committed."


def _told(resolver: Resolver) -> str:
    """Return what a resolver is, where, and who stands behind it, in words."""
    at = f"at {resolver.address}"
    if resolver.known:
        said = f"the known resolver {resolver.name} {at}"
    elif resolver.name:
        said = f"a {resolver.name} {at} that is {resolver.standing} ({resolver.reason})"
    else:
        said = f"a contract {at} that is {resolver.standing} ({resolver.reason})"
    if resolver.seats is not None:
        return f"{said}, {_drawn(resolver.seats, resolver.terms['terms'])}"
    endorsers = resolver.terms.get("endorsers")
    if not endorsers:
        return said
    return (
        f"{said}, whose keys any {resolver.terms['threshold']} of these {len(endorsers)} endorsers "
        f"can endorse: {', '.join(endorsers)}"
    )


def _drawn(found: EpochSeats, terms: Mapping[str, Any]) -> str:
    """Return from whom a pool draws its panels, in words."""
    largest = found.largest()
    said = f"whose panels of {terms['panel']} are drawn from all seats: in epoch {found.epoch} "
    if largest is None:
        return f"{said}nobody has any"
    account, seats = largest
    out = f"; {found.convicted} are of convicted keys and count no more" if found.convicted else ""
    return (
        f"{said}{found.seats} in {len(found.accounts)} accounts, of which {account} has most, "
        f"{seats / found.seats:.0%}{out}"
    )
