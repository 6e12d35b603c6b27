"""Findings about a network's rules before they are fixed for good.

Some rules can never work, some are weak. A part follows from the rules alone, a part from what the
chain has at the addresses that they name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.committee import Committee
from tallystick.chain.pool import Pool
from tallystick.chain.registry import Registry
from tallystick.chain.replay_game import RULING_WINDOWS, game_core
from tallystick.errors import (
    CommitteeError,
    ContractError,
    FieldError,
    NoContractError,
    PoolError,
)
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed, from_hex
from tallystick.protocol.rules import Rules

FORCED_INCLUSION = 24 * 3600
"""Seconds until a rollup takes in what its sequencer leaves out: 24 hours on Arbitrum, 12 on OP."""
_GRADES = ("audited", "enclave", "proven")
_BALANCE_OF = "0x70a08231"


class RulesWarning(UserWarning):
    """A warning of rules that can never work, or are weak; category of Python's warnings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a rule that whoever sets it should know."""

    rule: str
    """The field, such as attestors[0]."""
    reason: str
    never_works: bool
    """False: it works, and is weak."""

    def __str__(self) -> str:
        return f"{self.rule}{self.reason}"


def preflight(registry: Registry, rules: Rules) -> list[Finding]:
    """Return what can never work under some rules, and what is weak in them.

    Args:
        registry: that the network is to be registered in.
        rules: as registerNetwork would take them.
    """
    return [*_broken(registry, rules), *weak(rules)]


def weak(rules: Rules) -> Iterator[Finding]:
    """Yield what works under rules, and whoever sets them should know.

    >>> rules = Rules(challenge_window=7200, response_window=3600, ruling_window=3600)
    >>> [str(finding).split(":")[0] for finding in weak(rules)]
    ['response_window is 3600 s', 'stake_per_inference is 0', 'no arbiter']
    """
    if rules.response_window < FORCED_INCLUSION:
        yield Finding(
            "response_window",
            f" is {rules.response_window} s: where a sequencer orders the chain and "
            "stands still or censors for longer, honest batches that were demanded are slashed "
            f"(a rollup forces a transaction in after up to {FORCED_INCLUSION} s)",
            False,
        )
    if rules.stake_per_inference == 0:
        reason = " is 0: being rejected costs an operator nothing"
        yield Finding("stake_per_inference", reason, False)
    if rules.arbiter == ZERO_ADDRESS:
        yield Finding("no arbiter", ": nobody can be convicted of a wrong answer", False)


def _broken(registry: Registry, rules: Rules) -> Iterator[Finding]:
    if rules.asset != ZERO_ADDRESS:
        yield from _asset(registry.w3, rules.asset)
    usable = 0
    for place, attestor in enumerate(rules.attestors):
        if attestor == ZERO_ADDRESS:
            continue
        found = list(_attestor(registry, rules, attestor, place))
        usable += not found
        yield from found
    if not usable:
        yield Finding(
            "attestors",
            ": no grade can be had, so that no inference will ever count as verified",
            True,
        )
    if rules.arbiter != ZERO_ADDRESS:
        yield from _arbiter(registry, rules)


def _arbiter(registry: Registry, rules: Rules) -> Iterator[Finding]:
    where = f" {checksummed(rules.arbiter)}"
    if not _has_code(registry.w3, rules.arbiter):
        yield Finding("arbiter", f"{where} has no code: no challenge will ever be ruled on", True)
        return
    pool = _pool_at(registry.w3, rules.arbiter)
    if pool is not None:
        yield from _of_registry(registry, rules, pool, "arbiter")
    core = game_core(registry.w3, rules.arbiter)
    if core is not None:
        yield from _game(registry, rules, core)


def _game(registry: Registry, rules: Rules, core: bytes) -> Iterator[Finding]:
    where = checksummed(rules.arbiter)
    if core != registry.address:
        reason = f" {where} is a replay game of the registry {checksummed(core)}"
        yield Finding("arbiter", reason, True)
    needed = RULING_WINDOWS * rules.response_window
    if rules.ruling_window < needed:
        yield Finding(
            "ruling_window",
            f" is {rules.ruling_window} s: the arbiter {where} plays no game in less than "
            f"{RULING_WINDOWS} response windows, {needed} s",
            True,
        )


def _asset(w3: Web3, asset: bytes) -> Iterator[Finding]:
    where = checksummed(asset)
    if not _has_code(w3, asset):
        yield Finding("asset", f" {where} has no code: nothing can be staked", True)
        return
    try:
        answer = w3.eth.call(
            {"to": Web3.to_checksum_address(asset), "data": _BALANCE_OF + "00" * 32}  # type: ignore[typeddict-item]
        )
    except Web3Exception:
        answer = b""  # type: ignore[assignment]
    if len(answer) != 32:
        yield Finding("asset", f" {where} is no ERC-20 token: nothing can be staked", True)


def _attestor(registry: Registry, rules: Rules, attestor: bytes, place: int) -> Iterator[Finding]:
    rule, grade, where = f"attestors[{place}]", _GRADES[place], checksummed(attestor)
    if not _has_code(registry.w3, attestor):
        yield Finding(rule, f" {where} has no code: {grade} can never be had", True)
        return
    pool = _pool_at(registry.w3, attestor)
    if pool is not None:
        yield from _pool(registry, rules, pool, place)
        return
    if attestor == rules.arbiter:
        yield Finding(rule, f" {where} is the arbiter too: it would rule on its own grants", True)
    try:
        committee = Committee(registry.w3, attestor)
        terms, core = committee.terms(), from_hex(committee.read("CORE"))
        members = [one for one in committee.members() if one.key]
    except (CommitteeError, ContractError, NoContractError, Web3Exception, ValueError):
        return  # Another kind of attestor: its rules are its own.
    if core != registry.address:
        reason = f" {where} is a committee of the registry {checksummed(core)}"
        yield Finding(rule, f"{reason}: {grade} can never be had", True)
    if terms.exit_delay < rules.life:
        yield Finding(
            rule,
            f" {where}: the committee's exit delay is {terms.exit_delay} s; needed for {grade}: "
            f"at least {rules.life} s, as long as a batch can last under these windows",
            True,
        )
    if terms.arbiter != rules.arbiter:
        yield Finding(
            rule,
            f" {where}: the committee audits only networks of the arbiter "
            f"{checksummed(terms.arbiter)}, and this one's is {checksummed(rules.arbiter)}",
            True,
        )
    if len(members) < terms.threshold:
        yield Finding(
            rule,
            f" {where}: the committee has {len(members)} members; {terms.threshold} have to sign",
            True,
        )


def _pool_at(w3: Web3, address: bytes) -> Pool | None:
    """Return the pool at an address; None where there is another contract."""
    try:
        pool = Pool(w3, address)
        pool.terms().check()
    except (PoolError, FieldError, NoContractError, Web3Exception):
        return None
    return pool


def _pool(registry: Registry, rules: Rules, pool: Pool, place: int) -> Iterator[Finding]:
    rule, terms = f"attestors[{place}]", pool.terms()
    start = f" {checksummed(pool.address)}"
    if place:
        yield Finding(rule, f"{start} is a pool, which grants {_GRADES[0]} alone", True)
    if rules.arbiter != pool.address:
        # Of an arbiter it is told there.
        yield from _of_registry(registry, rules, pool, rule)
    if rules.arbiter not in {pool.address, terms.replay} or rules.arbiter == ZERO_ADDRESS:
        yield Finding(
            rule,
            f"{start}: the pool audits only where it is the arbiter too, or the one that its terms "
            f"name; this one's is {checksummed(rules.arbiter)}",
            True,
        )
    if terms.exit_delay < rules.life:
        yield Finding(
            rule,
            f"{start}: the pool's exit delay is {terms.exit_delay} s; needed: at least "
            f"{rules.life} s, as long as a batch can last under these windows",
            True,
        )


def _of_registry(registry: Registry, rules: Rules, pool: Pool, rule: str) -> Iterator[Finding]:
    start, core, asset = f" {checksummed(pool.address)}", pool.core(), pool.terms().asset
    if core != registry.address:
        yield Finding(rule, f"{start} is a pool of the registry {checksummed(core)}", True)
    if asset != rules.asset:
        reason = f"{start} is a pool in the asset {checksummed(asset)}"
        yield Finding(rule, f"{reason}; the network's is {checksummed(rules.asset)}", True)


def _has_code(w3: Web3, address: bytes) -> bool:
    return bool(w3.eth.get_code(Web3.to_checksum_address(address)))
