"""Pools that a network's rules name, by their code on chain."""

from functools import partial

from web3 import Web3

from tallystick.actions.chain_view import ChainView
from tallystick.actions.pool.moves import pool_moves
from tallystick.chain.pool import Pool
from tallystick.cli.pools import burned_in, looked_at
from tallystick.cli.session import Session
from tallystick.data.resolvers.code import code_name
from tallystick.data.resolvers.kinds import DRAWN
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.rules import Rules


def named_pools(session: Session, rules: Rules) -> list[Pool]:
    """Return the pools of listed code that rules name, and that audit for this registry."""
    named = dict.fromkeys((rules.attestors[0], rules.arbiter))
    return [
        Pool(session.w3, address)
        for address in named
        if address != ZERO_ADDRESS and _is_pool(session, address)
    ]


def next_in_pools(session: Session, chain: ChainView, record: BatchState) -> list[str]:
    """Return the pools' commands that may change what is known of a batch now."""
    found: dict[str, None] = {}
    for pool in named_pools(session, chain.rules(record)):
        view = looked_at(session, pool.address)
        burned = partial(burned_in, session, pool)
        moves = pool_moves(view, chain, session.registry, record, burned)
        found |= dict.fromkeys(moves)
    return list(found)


def _is_pool(session: Session, address: bytes) -> bool:
    code = bytes(session.w3.eth.get_code(Web3.to_checksum_address(address)))
    return code_name(code) in DRAWN and Pool(session.w3, address).core() == session.registry.address
