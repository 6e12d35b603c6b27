"""A verifier's word at its start: its seats, what it can run again, what it can pay for."""

from typing import Any

from web3.exceptions import Web3Exception

from tallystick.chain.confirmations import confirmations_of
from tallystick.chain.pool import Pool
from tallystick.chain.revert import ContractError
from tallystick.node.errors import SettingsError
from tallystick.node.introduction import affordable, coins, public_url
from tallystick.node.log import get_log
from tallystick.node.runner import check_spec, load_judge, load_or_find
from tallystick.node.settings import LLM, ModelSource, Settings
from tallystick.node.verifier.membership import Membership
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.hexes import checksummed, to_hex

_LOG = get_log("process")


def check(settings: Settings, verifier: Verifier) -> None:
    """Refuse what could never work.

    Args:
        settings: with a verifier section.
        verifier: put together from them.

    Raises:
        SettingsError: the account is no member of a committee that it is to serve, the pool is
            another registry's, a network is not registered, or a model is named without a file
            or a store to pull it from.
        RunnerError: a runner, comparison or spec cannot be loaded.
    """
    own = settings.need_verifier()
    for source in own.models:
        _check_runner(source)
        if ":" not in source.runner and source.file is None and not own.model_stores:
            raise SettingsError(
                f"verifier.models: {to_hex(source.id)} has no file; needed: file or model_stores"
            )
    for membership in verifier.watch.memberships:
        if _seat(membership, verifier.outbox.address) is None:
            raise SettingsError(
                f"verifier.committees: account {checksummed(verifier.outbox.address)} is none of "
                f"the {len(membership.members())} members of {checksummed(membership.address)}"
            )
    if verifier.duty is not None:
        _check_pool(verifier, verifier.duty.auditor.pool)
    for network_id in own.networks:
        try:
            verifier.watch.registry.rules(network_id)
        except ContractError as error:
            raise SettingsError(
                f"verifier.networks: no network {to_hex(network_id)} is registered"
            ) from error


def _check_runner(source: ModelSource) -> None:
    if source.runner == LLM:
        from tallystick.node.verifier.language import check_language

        check_language(source)
        return
    load_or_find(source.runner, source.file)
    load_judge(source.comparison)
    if source.spec is not None:
        check_spec(source.spec)


def _check_pool(verifier: Verifier, pool: Pool) -> None:
    registry = verifier.watch.registry.address
    if pool.core() != registry:
        raise SettingsError(
            f"verifier.pool: {checksummed(pool.address)} audits batches of registry "
            f"{checksummed(pool.core())}, not of {checksummed(registry)}"
        )


def introduce(settings: Settings, verifier: Verifier) -> None:
    """Log what this verifier is; what cannot be read of the chain now is left out."""
    own, address = settings.need_verifier(), verifier.outbox.address
    registry = verifier.watch.registry
    facts: dict[str, Any] = {
        "account": checksummed(address),
        "registry": checksummed(registry.address),
        "broker": own.broker.partition(":")[0],
        "dry_run": own.dry_run,
        "models": [
            {
                "id": to_hex(one.id),
                "runner": one.runner,
                "comparison": one.comparison or (str(one.spec) if one.spec else "exact"),
            }
            for one in own.models
        ],
        "stores": [public_url(one) for one in own.stores],
        "spending_cap_per_day": own.spending_cap_per_day,
    }
    try:
        facts |= _of_chain(settings, verifier)
    except (Web3Exception, OSError, ValueError, ContractError) as error:
        facts["not_read"] = " ".join(str(error).split())
    _LOG.info("started", **facts)


def _of_chain(settings: Settings, verifier: Verifier) -> dict[str, Any]:
    own, registry = settings.need_verifier(), verifier.watch.registry
    address, chain_id = verifier.outbox.address, registry.domain.chain_id
    confirmations = confirmations_of(settings.common.confirmations, chain_id)
    return {
        "chain_id": chain_id,
        "confirmations": confirmations.blocks,
        "confirmations_because": confirmations.reason,
        "committees": [_standing(one, address) for one in verifier.watch.memberships]
        or "no committee",
        "pool": verifier.duty.seats.standing() if verifier.duty else "no pool",
        "networks": [_network(verifier, one) for one in own.networks] or "all",
        "coins_for_gas": coins(registry.w3, address),
    }


def _network(verifier: Verifier, network_id: bytes) -> dict[str, Any]:
    registry = verifier.watch.registry
    rules = registry.rules(network_id)
    credit = registry.credit(rules.asset, verifier.outbox.address)
    return {"id": to_hex(network_id), "credit": credit, **affordable(rules, credit)}


def _standing(membership: Membership, address: bytes) -> dict[str, Any]:
    seat = _seat(membership, address)
    return {
        "committee": checksummed(membership.address),
        "seat": seat,
        "threshold": membership.terms.threshold,
        "counts": membership.member is not None,
    }


def _seat(membership: Membership, address: bytes) -> str | None:
    """Return an account's place in a committee, such as member 2 of 3; None without one."""
    members = membership.members()
    for one in members:
        if one.key == address:
            return f"member {one.index + 1} of {len(members)}"
    return None
