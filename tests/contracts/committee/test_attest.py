"""Committee.attest: which audits count.

signatures: too few | twice | out of order | of nobody | cut short | of another batch or committee
statement: bad verdict | another commit | another seed | too early | later than 256 blocks
network: another arbiter, or none | life longer than the exit delay
members: without stake | leaving
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tallystick.protocol.committee import Audit
from tallystick.protocol.enums import Grade
from tallystick.protocol.keys import packed
from tests.contracts.committee.acts import attest, network_of
from tests.support.chain import Chain, reverts
from tests.support.committee import MIN_STAKE, SEED_DELAY, Committee, found
from tests.support.story import RULES, Committed, Network, register

LIFE = RULES.life


def test_attest__threshold_of_signatures__is_audited(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    attest(chain, batch, committee.evidence(committee.audit(batch), [0, 2]))

    assert batch.status().grade is Grade.AUDITED


def test_attest__one_signature_short__reverts(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    with reverts("TooFewSigners", signers=1, threshold=2):
        attest(chain, batch, committee.evidence(committee.audit(batch), [1]))


def test_attest__no_signature__reverts(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    with reverts("TooFewSigners", signers=0):
        attest(chain, batch, committee.audit(batch).evidence({}))


def test_attest__a_signature_twice__reverts(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    audit = committee.audit(batch)
    ((_, signature),) = committee.signed(audit, [0]).items()

    with reverts("SignatureInvalid", place=1):
        attest(chain, batch, audit.evidence({0: signature, 1: signature}))


@pytest.mark.parametrize("members", [[1, 1], [2, 0], [0, 3], [0, 255]])
def test_attest__signatures_out_of_order_or_of_nobody__reverts(
    chain: Chain, batch: Committed, committee: Committee, members: list[Any]
) -> None:
    audit = committee.audit(batch)
    ((_, signature),) = committee.signed(audit, [members[0]]).items()
    signatures = b"".join(packed({member: signature}) for member in members)

    with reverts("SignersOutOfOrder", place=members[1]):
        attest(chain, batch, audit.evidence({}) + signatures)


@pytest.mark.parametrize("cut", [1, 64, 65, 66, 67])
def test_attest__signatures_cut_short__reverts(
    chain: Chain, batch: Committed, committee: Committee, cut: int
) -> None:
    evidence = committee.evidence(committee.audit(batch), [0, 1])

    with reverts("SignaturesCutShort", length=2 * 68 - cut):
        attest(chain, batch, evidence[:-cut])


def test_attest__signed_for_another_batch__reverts(
    chain: Chain, judged: Network, operator: bytes, batch: Committed, committee: Committee
) -> None:
    twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
    committee.seed(twin)

    with reverts("StatementMismatch", statedId=batch.id, batchId=twin.id):
        attest(chain, twin, committee.evidence(committee.audit(batch), [0, 1]))


def test_attest__signed_for_another_committee__reverts(
    chain: Chain, batch: Committed, committee: Committee, judge: Committee
) -> None:
    other = found(chain, 2, 3, staked=False, min_drawn=4, arbiter=judge.address)

    with reverts("SignatureInvalid"):
        attest(chain, batch, other.evidence(committee.audit(batch), [0, 1]))


def test_attest__statement_that_the_batch_is_bad__reverts(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    bad = replace(committee.audit(batch), verdict=False)

    with reverts("StatementMismatch", verdict=False):
        attest(chain, batch, committee.evidence(bad, [0, 1]))


@pytest.mark.parametrize("apart", [-1, 1, 2**39])
def test_attest__signed_for_another_commit__reverts(
    chain: Chain, batch: Committed, committee: Committee, apart: int
) -> None:
    """As of a batch whose commit another fork had at another time."""
    other = replace(committee.audit(batch), committed_at=batch.stamp.committed_at + apart)

    with reverts("CommitTimeMismatch", needed=batch.stamp.committed_at):
        attest(chain, batch, committee.evidence(other, [0, 1]))


def test_attest__seed_of_another_block__reverts(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    wrong = bytes(chain.w3.eth.get_block(batch.stamp.committed_block)["hash"])

    with reverts("SeedMismatch", seed=wrong):
        attest(
            chain, batch, committee.evidence(replace(committee.audit(batch), seed=wrong), [0, 1])
        )


def test_attest__before_the_seeds_block__reverts(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    with chain.isolated():
        audit = committee.audit(batch)

    with reverts("SeedUnavailable", blockNumber=batch.stamp.committed_block + 2):
        attest(chain, batch, committee.evidence(audit, [0, 1]))


def test_attest__300_blocks_later__reads_the_history_contract(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    audit = committee.audit(batch)
    chain.mine(300)

    attest(chain, batch, committee.evidence(audit, [0, 1]))

    assert batch.status().grade is Grade.AUDITED


@contextlib.contextmanager
def history(chain: Chain, code: str) -> Iterator[None]:
    """Another contract in the place of EIP-2935's; what is put there outlasts a test otherwise."""
    account = "0x0000F90827F1C53a10cb7A02335B175320002935"
    before = chain.w3.eth.get_code(account)
    chain.w3.provider.make_request("anvil_setCode", [account, "0x" + code])
    try:
        yield
    finally:
        chain.w3.provider.make_request("anvil_setCode", [account, before.to_0x_hex()])


NO_CODE = ""
ANSWERS_ONE = "600160005260206000f3"
ANSWERS_TWO_WORDS = "600160005260406000f3"
REVERTS_WITH_ONE = "600160005260206000fd"


@pytest.mark.parametrize("code", [NO_CODE, ANSWERS_ONE])
def test_attest__256_blocks_later__needs_no_history_contract(
    chain: Chain, batch: Committed, committee: Committee, code: str
) -> None:
    audit = committee.audit(batch)
    chain.mine(batch.stamp.committed_block + SEED_DELAY + 255 - chain.w3.eth.block_number)

    with history(chain, code):
        attest(chain, batch, committee.evidence(audit, [0, 1]))

    assert batch.status().grade is Grade.AUDITED


@pytest.mark.parametrize("code", [NO_CODE, ANSWERS_TWO_WORDS, REVERTS_WITH_ONE])
def test_attest__300_blocks_later_without_a_good_answer__reverts(
    chain: Chain, batch: Committed, committee: Committee, code: str
) -> None:
    audit = committee.audit(batch)
    chain.mine(300)
    number = batch.stamp.committed_block + SEED_DELAY

    with history(chain, code), reverts("SeedUnavailable", blockNumber=number):
        attest(chain, batch, committee.evidence(audit, [0, 1]))


@pytest.mark.parametrize("blocks", [0, 1])
def test_attest__before_the_seed_block_is_mined__asks_nobody(
    chain: Chain, batch: Committed, committee: Committee, blocks: int
) -> None:
    for _ in range(blocks):
        chain.mine()
    number = batch.stamp.committed_block + SEED_DELAY
    assert number == chain.w3.eth.block_number + 2 - blocks
    audit = Audit(batch.id, batch.stamp.committed_at, (1).to_bytes(32, "big"))

    with history(chain, ANSWERS_ONE), reverts("SeedUnavailable", blockNumber=number):
        attest(chain, batch, committee.evidence(audit, [0, 1]))


class TestNetwork:
    def batch(
        self,
        chain: Chain,
        owner: bytes,
        operator: bytes,
        committee: Committee,
        arbiter: bytes,
        **changes: Any,
    ) -> Committed:
        network = network_of(chain, owner, committee, arbiter, salt=6, **changes)
        network.join(operator)
        return network.commit(operator)

    def test_another_arbiter__reverts(
        self,
        chain: Chain,
        network_owner: bytes,
        operator: bytes,
        committee: Committee,
        resolver: bytes,
        judge: Committee,
    ) -> None:
        batch = self.batch(chain, network_owner, operator, committee, resolver)

        with reverts("ArbiterMismatch", arbiter=resolver, needed=judge.address):
            attest(chain, batch, committee.evidence(committee.audit(batch), [0, 1]))

    def test_no_arbiter__reverts(
        self,
        chain: Chain,
        network_owner: bytes,
        operator: bytes,
        committee: Committee,
        judge: Committee,
    ) -> None:
        batch = self.batch(chain, network_owner, operator, committee, bytes(20))

        with reverts("ArbiterMismatch", arbiter=bytes(20), needed=judge.address):
            attest(chain, batch, committee.evidence(committee.audit(batch), [0, 1]))

    def test_itself_as_arbiter__reverts(
        self, chain: Chain, network_owner: bytes, operator: bytes, judge: Committee
    ) -> None:
        """Who audits never rules on whether the audit was wrong."""
        batch = self.batch(chain, network_owner, operator, judge, judge.address)

        with reverts("ArbiterMismatch", arbiter=judge.address, needed=bytes(20)):
            attest(chain, batch, judge.evidence(judge.audit(batch), [0, 1]))

    def test_no_arbiter_of_either__is_audited(
        self, chain: Chain, network_owner: bytes, operator: bytes, judge: Committee
    ) -> None:
        batch = self.batch(chain, network_owner, operator, judge, bytes(20))

        attest(chain, batch, judge.evidence(judge.audit(batch), [0, 1]))

        assert batch.status().grade is Grade.AUDITED

    @pytest.mark.parametrize("short", [1, 0])
    def test_life_longer_than_the_exit_delay__reverts(
        self, chain: Chain, network_owner: bytes, operator: bytes, short: int
    ) -> None:
        committee = found(chain, threshold=1, members=1, exit_delay=LIFE - short)
        batch = self.batch(chain, network_owner, operator, committee, bytes(20))
        evidence = committee.evidence(committee.audit(batch), [0])

        if short:
            with reverts("ExitDelayTooShort", exitDelay=LIFE - 1, needed=LIFE):
                attest(chain, batch, evidence)
        else:
            attest(chain, batch, evidence)
            assert batch.status().grade is Grade.AUDITED

    def test_another_cores__reverts(
        self, chain: Chain, batch: Committed, committee: Committee, resolver: bytes
    ) -> None:
        """Facts that somebody else than the registry tells are of no network that it knows."""
        audit = committee.audit(batch)
        strange = replace(batch.batch, network_id=b"x" * 32)
        audit = replace(audit, batch_id=strange.id())
        facts = (
            (
                strange.network_id,
                chain.w3.to_checksum_address(strange.operator),
                *strange.abi()[2:],
            ),
            batch.stamp.committed_at,
            batch.stamp.committed_block,
            batch.stamp.closes_at,
        )
        call = committee.contract.functions.attest(
            strange.id(), facts, committee.evidence(audit, [0, 1])
        )

        with reverts("NetworkNotFound", networkId=strange.network_id):
            chain.transact(chain.accounts[9], call)


def test_attest__member_without_stake__reverts(
    chain: Chain, network_owner: bytes, operator: bytes
) -> None:
    committee = found(chain, threshold=1, members=2, staked=False)
    one_short = committee.contract.functions.stake(0, MIN_STAKE - 1)
    chain.transact(chain.accounts[0], one_short, value=MIN_STAKE - 1)
    places = (committee.address, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=6, attestors=places)
    network.join(operator)
    batch = network.commit(operator)
    evidence = committee.evidence(committee.audit(batch), [0])

    with reverts("SignerNotActive", signers=1, active=0):
        attest(chain, batch, evidence)
    chain.transact(chain.accounts[0], committee.contract.functions.stake(0, 1), value=1)
    attest(chain, batch, evidence)

    assert batch.status().grade is Grade.AUDITED


def test_attest__member_that_is_leaving__reverts(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    chain.transact(chain.accounts[1], committee.contract.functions.requestExit(1))

    with reverts("SignerNotActive", active=0b101):
        attest(chain, batch, committee.evidence(committee.audit(batch), [0, 1]))


def test_attest__one_more_than_needed_who_does_not_count__reverts(
    chain: Chain, batch: Committed, committee: Committee
) -> None:
    chain.transact(chain.accounts[1], committee.contract.functions.requestExit(1))

    with reverts("SignerNotActive", signers=0b111, active=0b101):
        attest(chain, batch, committee.evidence(committee.audit(batch), [0, 1, 2]))
