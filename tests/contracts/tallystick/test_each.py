"""each: many calls in one transaction, each by itself

├── an entry that fails changes nothing, and leaves the others
├── as the sender, without coins, under the same lock
└── thirty demands at once are answered in one transaction
"""

import pytest

from tallystick.chain.call import Call
from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import State
from tallystick.protocol.events import BatchRejected, ChallengeLapsed, Deposited, LeafRevealed
from tests.contracts.tallystick.test_disputes import challenged, demanded
from tests.support.chain import Chain, reverts
from tests.support.story import Committed, Network, conserved


def reveal(chain: Chain, batch: Committed, dispute: Dispute) -> bytes:
    arguments = batch.pre_image(dispute), batch.opening(0), b"", b"", b""
    return chain.registry.call("reveal", *arguments).data


def asked(chain: Chain, sender: bytes, calls: list[bytes]) -> list[bool]:
    """Return what `each` answers, without sending it."""
    call = chain.registry.call("each", calls)
    answer = chain.w3.eth.call(
        {
            "from": chain.w3.to_checksum_address(sender),
            "to": chain.w3.to_checksum_address(call.to),
            "data": "0x" + call.data.hex(),
        }
    )
    return [bool(int.from_bytes(answer[at : at + 32])) for at in range(64, len(answer), 32)]


def test_reveals__one_was_sent_in_front__leave_the_others(
    chain: Chain, network: Network, operator: bytes, challenger: bytes, stranger: bytes
) -> None:
    batches = [network.commit(operator, slot=slot) for slot in range(3)]
    disputes = [demanded(chain, batch, challenger) for batch in batches]
    calls = [reveal(chain, *pair) for pair in zip(batches, disputes, strict=True)]
    chain.send_call(stranger, Call(chain.registry.address, calls[1]))

    assert asked(chain, operator, calls) == [True, False, True]
    mined = chain.send(operator, "each", calls)

    revealed = [event.batch_id for event in mined.events if isinstance(event, LeafRevealed)]
    assert revealed == [batches[0].id, batches[2].id]
    conserved(chain, network)


def test_reveals__thirty_demands_at_once__are_answered_in_one_transaction(
    chain: Chain, network: Network, operator: bytes, challenger: bytes
) -> None:
    network.fund(challenger)
    batches = [network.commit(operator, slot=slot) for slot in range(30)]
    disputes = [demanded(chain, batch, challenger) for batch in batches]
    calls = [reveal(chain, *pair) for pair in zip(batches, disputes, strict=True)]

    mined = chain.send(operator, "each", calls)

    assert sum(isinstance(event, LeafRevealed) for event in mined.events) == 30
    assert mined.gas_used < 2**24


def test_timeouts_and_lapses__go_together(
    chain: Chain, network: Network, operator: bytes, challenger: bytes, stranger: bytes
) -> None:
    demands, challenges = (
        [network.commit(operator, slot=slot) for slot in slots] for slots in ((0, 1), (2, 3))
    )
    due = [demanded(chain, batch, challenger) for batch in demands]
    due += [challenged(chain, batch, challenger) for batch in challenges]
    names = ["timeout", "timeout", "lapse", "lapse"]
    calls = [
        chain.registry.call(name, batch.pre_image(dispute)).data
        for name, batch, dispute in zip(names, [*demands, *challenges], due, strict=True)
    ]

    chain.at(due[-1].due + 1)
    mined = chain.send(stranger, "each", calls)

    kinds = [type(event) for event in mined.events]
    assert kinds == [BatchRejected, BatchRejected, ChallengeLapsed, ChallengeLapsed]
    conserved(chain, network)


def test_entry__of_no_function__fails_alone(
    chain: Chain, network: Network, stranger: bytes
) -> None:
    deposit = chain.registry.call("deposit", bytes(20), 0).data

    assert asked(chain, stranger, [b"", b"\xff\xff\xff\xff", deposit]) == [False, False, True]


def test_nothing__answers_nothing(chain: Chain, stranger: bytes) -> None:
    assert asked(chain, stranger, []) == []


def test_coins__sent_along__revert(chain: Chain, stranger: bytes) -> None:
    with reverts("Reverted"):
        chain.send(stranger, "each", [], value=1)


def test_deposit__cannot_use_one_payment_twice(chain: Chain, stranger: bytes) -> None:
    """The classic flaw of payable multicalls."""
    deposit = chain.registry.call("deposit", bytes(20), 5).data

    assert asked(chain, stranger, [deposit, deposit]) == [False, False]


def test_each_in_each__acts_as_the_sender(
    chain: Chain, network: Network, operator: bytes, stranger: bytes
) -> None:
    network.fund(operator)
    inner = chain.registry.call("withdraw", bytes(20), stranger, 7).data
    nested = chain.registry.call("each", [inner]).data
    before = chain.balance(bytes(20), stranger)

    chain.send(operator, "each", [nested])

    assert chain.balance(bytes(20), stranger) == before + 7
    assert asked(chain, stranger, [nested]) == [True], "the outer call; the inner one failed"
    credit = network.credit(operator)
    chain.send(chain.accounts[7], "each", [nested])
    assert network.credit(operator) == credit


@pytest.mark.parametrize("name", ["deposit", "withdraw"])
def test_lock__holds_inside_each(chain: Chain, network_owner: bytes, name: str) -> None:
    """A token that calls back finds every entry of each locked."""
    token = chain.deploy("ReentrantToken")
    asset, registry = bytes.fromhex(token.address[2:]), chain.registry
    inner = registry.call("deposit", asset, 1).data
    chain.transact(
        network_owner, token.functions.mint(chain.w3.to_checksum_address(network_owner), 100)
    )
    chain.transact(
        network_owner, token.functions.approve(chain.w3.to_checksum_address(registry.address), 100)
    )
    chain.send(network_owner, "deposit", asset, 10)
    target = chain.w3.to_checksum_address(registry.address)
    chain.transact(network_owner, token.functions.arm(target, registry.call("each", [inner]).data))
    outer = {"deposit": (asset, 10), "withdraw": (asset, network_owner, 10)}[name]

    mined = chain.send(network_owner, name, *outer)

    assert sum(isinstance(event, Deposited) for event in mined.events) == (name == "deposit")
    assert chain.registry.credit(asset, network_owner) == (20 if name == "deposit" else 0)


def test_state__of_a_failed_entry__is_undone(
    chain: Chain, network: Network, operator: bytes, challenger: bytes
) -> None:
    batch = network.commit(operator)
    dispute = demanded(chain, batch, challenger)
    call = chain.registry.call(
        "reveal", batch.pre_image(dispute), batch.opening(1), b"", b"", b""
    ).data

    chain.send(operator, "each", [call])

    assert State(batch.word()[31] & 7) is State.DISPUTED
