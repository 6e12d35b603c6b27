"""0G Compute: each settlement's signature is recovered from calldata; each lie is found by name."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from coincurve import PrivateKey

from tallystick.networks.adapters.zero_g import Settlement
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.keccak import keccak256
from tests.integration.networks.conftest import CHAIN_ID, Follower
from tests.support.chain import Chain
from tests.support.standins import Standin

USER, PROVIDER, OTHER = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20
ENCLAVE, STRANGER = PrivateKey(b"\x11" * 32), PrivateKey(b"\x22" * 32)
EIP712, OLDER = 0, 1


def account(key: PrivateKey) -> bytes:
    return keccak256(key.public_key.format(compressed=False)[1:])[12:]


@dataclass
class ZeroG:
    """The stand-in, and who signs for it."""

    contract: Standin
    nonce: int = 0
    sent: list[Any] = field(default_factory=list)

    def acknowledge(self, key: PrivateKey = ENCLAVE, on: bool = True) -> None:
        self.contract.send("acknowledge", PROVIDER, account(key), on)

    def entry(
        self, key: PrivateKey = ENCLAVE, fee: int = 100, form: int = EIP712, user: bytes = USER
    ) -> tuple[Any, ...]:
        """A settlement of its own, signed."""
        self.nonce += 1
        requests = keccak256(b"requests %d" % self.nonce)
        unsigned = Settlement(user, PROVIDER, fee, requests, self.nonce, b"")
        domain = Domain(CHAIN_ID, self.contract.address, "0G Inference Serving", "1")
        digest = unsigned.digests(domain.separator())[form]
        signature = key.sign_recoverable(digest, hasher=None)
        signature = signature[:64] + bytes([signature[64] + 27])
        return user, PROVIDER, fee, requests, self.nonce, signature

    def settle(self, *entries: tuple[Any, ...]) -> None:
        self.contract.send("settleFeesWithTEE", list(entries))

    def rule(self, status: int, unsettled: int = 0) -> tuple[Any, ...]:
        """An entry on which the contract will rule so."""
        entry = self.entry()
        self.contract.send("rule", self.nonce, status, unsettled)
        return entry


@pytest.fixture
def zero_g(chain: Chain) -> ZeroG:
    return ZeroG(Standin(chain, "ZeroG"))


def test_follow__signed_by_the_acknowledged_key__is_enclave_in_either_format(
    zero_g: ZeroG, follower: Follower
) -> None:
    zero_g.acknowledge()
    zero_g.settle(zero_g.entry(fee=7), zero_g.entry(fee=11, form=OLDER))
    zero_g.settle(zero_g.rule(1, unsettled=40))

    state = follower.run("0g", zero_g.contract)

    assert not state.failures
    assert follower.verdicts("0g") == {("enclave", ""): 3}
    assert state.measures == {"fees_settled_wei": 7 + 11 + 60, "users": 1, "providers": 1}


def test_follow__other_keys_signature__is_rejected(zero_g: ZeroG, follower: Follower) -> None:
    zero_g.acknowledge()
    changed = (*zero_g.entry()[:2], 101, *zero_g.entry()[3:])
    zero_g.settle(zero_g.entry(STRANGER), changed, (*zero_g.entry()[:5], b"short"))

    follower.run("0g", zero_g.contract)

    assert follower.verdicts("0g") == {("rejected", "not signed by the acknowledged key"): 3}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (2, "provider mismatch"),
        (3, "no acknowledged signer"),
        (4, "invalid nonce"),
        (5, "invalid signature"),
    ],
)
def test_follow__refused_by_the_contract__is_rejected_though_signed(
    zero_g: ZeroG, follower: Follower, status: int, reason: str
) -> None:
    zero_g.acknowledge()
    zero_g.settle(zero_g.rule(status))

    follower.run("0g", zero_g.contract)

    assert follower.verdicts("0g") == {("rejected", f"by the contract: {reason}"): 1}


def test_follow__acknowledged_later_or_not__is_unseen(zero_g: ZeroG, follower: Follower) -> None:
    zero_g.settle(zero_g.entry())
    zero_g.acknowledge()

    follower.run("0g", zero_g.contract)

    reason = "no acknowledgement of the provider's key was found"
    assert follower.verdicts("0g") == {("unseen", reason): 1}


def test_follow__acknowledgement_taken_back__is_rejected_from_then_on(
    zero_g: ZeroG, follower: Follower
) -> None:
    zero_g.acknowledge()
    zero_g.settle(zero_g.entry())
    zero_g.acknowledge(on=False)
    zero_g.settle(zero_g.entry())

    follower.run("0g", zero_g.contract)

    reason = "the key's acknowledgement was taken back"
    assert follower.verdicts("0g") == {("enclave", ""): 1, ("rejected", reason): 1}


def test_follow__settled_twice__counts_once(zero_g: ZeroG, follower: Follower) -> None:
    zero_g.acknowledge()
    entry = zero_g.entry()
    zero_g.settle(entry, entry)

    follower.run("0g", zero_g.contract)

    assert follower.verdicts("0g") == {("enclave", ""): 1, ("rejected", "settled before"): 1}


def test_follow__called_by_another_contract__is_unseen(
    chain: Chain, zero_g: ZeroG, follower: Follower
) -> None:
    zero_g.acknowledge()
    relay = Standin(chain, "Relay")
    call = zero_g.contract.data("settleFeesWithTEE", [zero_g.entry()])
    relay.send("pass", zero_g.contract.address, call)

    follower.run("0g", zero_g.contract)

    assert follower.verdicts("0g") == {("unseen", "the call is not the contract's own"): 1}


def test_follow__again_after_more__counts_only_what_is_new(
    zero_g: ZeroG, follower: Follower
) -> None:
    zero_g.acknowledge()
    zero_g.settle(zero_g.entry())
    first = follower.run("0g", zero_g.contract)
    zero_g.settle(zero_g.entry(), zero_g.entry(STRANGER))

    second = follower.run("0g", zero_g.contract)

    chain_id = str(CHAIN_ID)
    assert second.last_blocks[chain_id] == first.last_blocks[chain_id] + 1
    assert follower.verdicts("0g")[("enclave", "")] == 2


def test_follow__behind_a_proxy__upgrades_are_noted(
    chain: Chain, zero_g: ZeroG, follower: Follower
) -> None:
    proxy = Standin(chain, "Proxy", zero_g.contract.contract.address)
    behind = ZeroG(zero_g.contract.at(proxy))
    behind.acknowledge()
    behind.settle(behind.entry())

    before = follower.run("0g", behind.contract)
    proxy.send("upgradeTo", Standin(chain, "ZeroG").contract.address)
    after = follower.run("0g", behind.contract)

    assert (before.upgrades, after.upgrades) == (1, 2)
    assert follower.verdicts("0g") == {("enclave", ""): 1}
