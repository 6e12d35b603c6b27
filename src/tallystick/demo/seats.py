"""The pool: its terms, and twelve auditors with a key and seats each."""

from collections.abc import Mapping

from web3 import Web3

from tallystick.chain.call import encode_call
from tallystick.chain.clock import pending_time
from tallystick.chain.deploy import creation_code, deploy
from tallystick.chain.localnet import advance
from tallystick.chain.pool import PoolTerms
from tallystick.chain.sender import Sender
from tallystick.demo.cast import AUDITORS, CARELESS
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.pool import EPOCH, epoch_of
from tallystick.replay.model import SPEC_ID

GWEI = 10**9
FEW, MANY = 6, 14
"""Seats of an auditor who looks, and of one who doesn't; 144 together, nobody above a third."""


def terms_under(replay: bytes) -> PoolTerms:
    """Return the terms of a pool that audits what Replay judges."""
    return PoolTerms(
        asset=ZERO_ADDRESS,
        spec=SPEC_ID,
        replay=replay,
        seat_stake=5_000_000 * GWEI,
        min_seats=120,
        panel=15,
        min_drawn=32,
        seed_delay=8,
        exit_delay=2 * EPOCH,
        fee_per_leaf=1_000 * GWEI,
        rule_fee=100_000 * GWEI,
    )


def found_pool(w3: Web3, senders: Mapping[str, Sender], registry: bytes, replay: bytes) -> bytes:
    """Deploy the pool, buy the auditors' seats, and wait until their first epoch begins.

    Args:
        w3: connected to a local chain, whose clock is moved.
        senders: who may send, by role.
        registry: whose batches are audited, 20 bytes.
        replay: arbiter of the network, 20 bytes.

    Returns:
        The pool's address, 20 bytes.
    """
    terms = terms_under(replay)
    code = creation_code("Pool", checksummed(registry), terms.abi())
    pool, _ = deploy(w3, senders["owner"], code)
    for number in range(AUDITORS):
        sender = senders[f"auditor {number}"]
        seats = MANY if number in CARELESS else FEW
        stake = seats * terms.seat_stake
        sender.send(encode_call("Pool", pool, "deposit", sender.address, stake, value=stake))
        sender.send(encode_call("Pool", pool, "enroll", seats, sender.address))
    now = pending_time(w3)
    advance(w3, (epoch_of(now) + 1) * EPOCH - now)
    return pool
