"""Committee.attest: which audits count.

signatures: too few | twice | out of order | of nobody | cut short | of another batch or committee
statement: bad verdict | another commit | another seed | too early | later than 256 blocks
network: another arbiter, or none | life longer than the exit delay
members: without stake | leaving
"""

from dataclasses import replace

import pytest

from tallystick.enums import Grade
from tallystick.keys import packed
from tests.contracts.committee.acts import attest, network_of
from tests.support.chain import reverts
from tests.support.committee import MIN_STAKE, found
from tests.support.story import RULES, register

LIFE = RULES.life


def test_attest__threshold_of_signatures__is_audited(chain, batch, panel):
    attest(chain, batch, panel.evidence(panel.audit(batch), [0, 2]))

    assert batch.status().grade is Grade.AUDITED


def test_attest__one_signature_short__reverts(chain, batch, panel):
    with reverts("TooFewSigners", signers=1, threshold=2):
        attest(chain, batch, panel.evidence(panel.audit(batch), [1]))


def test_attest__no_signature__reverts(chain, batch, panel):
    with reverts("TooFewSigners", signers=0):
        attest(chain, batch, panel.audit(batch).evidence({}))


def test_attest__a_signature_twice__reverts(chain, batch, panel):
    audit = panel.audit(batch)
    ((_, signature),) = panel.signed(audit, [0]).items()

    with reverts("SignatureInvalid", place=1):
        attest(chain, batch, audit.evidence({0: signature, 1: signature}))


@pytest.mark.parametrize("members", [[1, 1], [2, 0], [0, 3], [0, 255]])
def test_attest__signatures_out_of_order_or_of_nobody__reverts(chain, batch, panel, members):
    audit = panel.audit(batch)
    ((_, signature),) = panel.signed(audit, [members[0]]).items()
    signatures = b"".join(packed({member: signature}) for member in members)

    with reverts("SignersOutOfOrder", place=members[1]):
        attest(chain, batch, audit.evidence({}) + signatures)


@pytest.mark.parametrize("cut", [1, 64, 65, 66, 67])
def test_attest__signatures_cut_short__reverts(chain, batch, panel, cut):
    evidence = panel.evidence(panel.audit(batch), [0, 1])

    with reverts("SignaturesCutShort", length=2 * 68 - cut):
        attest(chain, batch, evidence[:-cut])


def test_attest__signed_for_another_batch__reverts(chain, judged, operator, batch, panel):
    twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
    panel.seed(twin)

    with reverts("StatementMismatch", statedId=batch.id, batchId=twin.id):
        attest(chain, twin, panel.evidence(panel.audit(batch), [0, 1]))


def test_attest__signed_for_another_committee__reverts(chain, batch, panel, judge):
    other = found(chain, 2, 3, staked=False, min_drawn=4, arbiter=judge.address)

    with reverts("SignatureInvalid"):
        attest(chain, batch, other.evidence(panel.audit(batch), [0, 1]))


def test_attest__statement_that_the_batch_is_bad__reverts(chain, batch, panel):
    bad = replace(panel.audit(batch), verdict=False)

    with reverts("StatementMismatch", verdict=False):
        attest(chain, batch, panel.evidence(bad, [0, 1]))


@pytest.mark.parametrize("apart", [-1, 1, 2**39])
def test_attest__signed_for_another_commit__reverts(chain, batch, panel, apart):
    """As of a batch whose commit another fork had at another time."""
    other = replace(panel.audit(batch), committed_at=batch.stamp.committed_at + apart)

    with reverts("CommitTimeMismatch", needed=batch.stamp.committed_at):
        attest(chain, batch, panel.evidence(other, [0, 1]))


def test_attest__seed_of_another_block__reverts(chain, batch, panel):
    wrong = bytes(chain.w3.eth.get_block(batch.stamp.committed_block)["hash"])

    with reverts("SeedMismatch", seed=wrong):
        attest(chain, batch, panel.evidence(replace(panel.audit(batch), seed=wrong), [0, 1]))


def test_attest__before_the_seeds_block__reverts(chain, batch, panel):
    with chain.isolated():
        audit = panel.audit(batch)

    with reverts("SeedUnavailable", blockNumber=batch.stamp.committed_block + 2):
        attest(chain, batch, panel.evidence(audit, [0, 1]))


def test_attest__300_blocks_later__reads_the_history_contract(chain, batch, panel):
    audit = panel.audit(batch)
    chain.mine(300)

    attest(chain, batch, panel.evidence(audit, [0, 1]))

    assert batch.status().grade is Grade.AUDITED


class TestNetwork:
    def batch(self, chain, owner, operator, panel, arbiter, **changes):
        network = network_of(chain, owner, panel, arbiter, salt=6, **changes)
        network.join(operator)
        return network.commit(operator)

    def test_another_arbiter__reverts(self, chain, network_owner, operator, panel, resolver, judge):
        batch = self.batch(chain, network_owner, operator, panel, resolver)

        with reverts("ArbiterMismatch", arbiter=resolver, needed=judge.address):
            attest(chain, batch, panel.evidence(panel.audit(batch), [0, 1]))

    def test_no_arbiter__reverts(self, chain, network_owner, operator, panel, judge):
        batch = self.batch(chain, network_owner, operator, panel, bytes(20))

        with reverts("ArbiterMismatch", arbiter=bytes(20), needed=judge.address):
            attest(chain, batch, panel.evidence(panel.audit(batch), [0, 1]))

    def test_itself_as_arbiter__reverts(self, chain, network_owner, operator, judge):
        """Who audits never rules on whether the audit was wrong."""
        batch = self.batch(chain, network_owner, operator, judge, judge.address)

        with reverts("ArbiterMismatch", arbiter=judge.address, needed=bytes(20)):
            attest(chain, batch, judge.evidence(judge.audit(batch), [0, 1]))

    def test_no_arbiter_of_either__is_audited(self, chain, network_owner, operator, judge):
        batch = self.batch(chain, network_owner, operator, judge, bytes(20))

        attest(chain, batch, judge.evidence(judge.audit(batch), [0, 1]))

        assert batch.status().grade is Grade.AUDITED

    @pytest.mark.parametrize("short", [1, 0])
    def test_life_longer_than_the_exit_delay__reverts(self, chain, network_owner, operator, short):
        panel = found(chain, threshold=1, members=1, exit_delay=LIFE - short)
        batch = self.batch(chain, network_owner, operator, panel, bytes(20))
        evidence = panel.evidence(panel.audit(batch), [0])

        if short:
            with reverts("ExitDelayTooShort", exitDelay=LIFE - 1, needed=LIFE):
                attest(chain, batch, evidence)
        else:
            attest(chain, batch, evidence)
            assert batch.status().grade is Grade.AUDITED

    def test_another_cores__reverts(self, chain, batch, panel, resolver):
        """Facts that somebody else than the core tells are of no network that it knows."""
        audit = panel.audit(batch)
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
        call = panel.contract.functions.attest(strange.id(), facts, panel.evidence(audit, [0, 1]))

        with reverts("NetworkNotFound", networkId=strange.network_id):
            chain.transact(chain.accounts[9], call)


def test_attest__member_without_stake__reverts(chain, network_owner, operator):
    panel = found(chain, threshold=1, members=2, staked=False)
    one_short = panel.contract.functions.stake(0, MIN_STAKE - 1)
    chain.transact(chain.accounts[0], one_short, value=MIN_STAKE - 1)
    places = (panel.address, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=6, attestors=places)
    network.join(operator)
    batch = network.commit(operator)
    evidence = panel.evidence(panel.audit(batch), [0])

    with reverts("SignerNotActive", signers=1, active=0):
        attest(chain, batch, evidence)
    chain.transact(chain.accounts[0], panel.contract.functions.stake(0, 1), value=1)
    attest(chain, batch, evidence)

    assert batch.status().grade is Grade.AUDITED


def test_attest__member_that_is_leaving__reverts(chain, batch, panel):
    chain.transact(chain.accounts[1], panel.contract.functions.requestExit(1))

    with reverts("SignerNotActive", active=0b101):
        attest(chain, batch, panel.evidence(panel.audit(batch), [0, 1]))


def test_attest__one_more_than_needed_who_does_not_count__reverts(chain, batch, panel):
    chain.transact(chain.accounts[1], panel.contract.functions.requestExit(1))

    with reverts("SignerNotActive", signers=0b111, active=0b101):
        attest(chain, batch, panel.evidence(panel.audit(batch), [0, 1, 2]))
