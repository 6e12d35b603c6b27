"""Committee.rule, and what members sign."""

from dataclasses import replace

import pytest

from tallystick.protocol.committee import Verdict
from tallystick.protocol.enums import Ruling, State
from tests.contracts.committee.acts import disprove
from tests.support.chain import Chain, Mined, reverts
from tests.support.committee import Committee
from tests.support.story import Committed, Network


def send(chain: Chain, batch: Committed, index: int, evidence: bytes) -> Mined:
    return chain.send(
        chain.accounts[9], "disprove", batch.pre_image(), batch.opening(index), evidence
    )


def test_rule__signed_for_another_leaf__reverts(
    chain: Chain, batch: Committed, judge: Committee
) -> None:
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(4), Ruling.REJECTED, [0, 1])

    with reverts("SignatureInvalid"):
        send(chain, batch, 3, evidence)


def test_rule__leaf_with_a_trace__is_ruled_on_whole(
    chain: Chain, judged: Network, operator: bytes, judge: Committee
) -> None:
    """The trace's root is the last of what is hashed."""
    batch = judged.commit(
        operator, shape=lambda leaves: [replace(leaf, trace_root=b"t" * 32) for leaf in leaves]
    )

    disprove(chain, batch, judge, 3)

    assert batch.status().state is State.REJECTED


def test_rule__signed_for_another_place__reverts(
    chain: Chain, batch: Committed, judge: Committee
) -> None:
    evidence = judge.verdict(batch.id, 4, batch.tree.leaf(3), Ruling.REJECTED, [0, 1])

    with reverts("SignatureInvalid"):
        send(chain, batch, 3, evidence)


def test_rule__signed_for_another_batch__reverts(
    chain: Chain, judged: Network, operator: bytes, batch: Committed, judge: Committee
) -> None:
    twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(3), Ruling.REJECTED, [0, 1])

    with reverts("SignatureInvalid"):
        chain.send(chain.accounts[9], "disprove", twin.pre_image(), batch.opening(3), evidence)


def test_rule__one_signature_short__reverts(
    chain: Chain, batch: Committed, judge: Committee
) -> None:
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(3), Ruling.REJECTED, [1])

    with reverts("TooFewSigners", signers=1, threshold=2):
        send(chain, batch, 3, evidence)


def test_rule__member_that_is_leaving__reverts(
    chain: Chain, batch: Committed, judge: Committee
) -> None:
    chain.transact(chain.accounts[1], judge.contract.functions.requestExit(1))
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(3), Ruling.REJECTED, [0, 1])

    with reverts("SignerNotActive", signers=0b011, active=0b101):
        send(chain, batch, 3, evidence)


def test_rule__upheld_by_signatures__does_not_disprove(
    chain: Chain, batch: Committed, judge: Committee
) -> None:
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(3), Ruling.UPHELD, [0, 1])

    with reverts("NotDisproved"):
        send(chain, batch, 3, evidence)


def test_rule__rejected_by_signatures__slashes(
    chain: Chain, judged: Network, batch: Committed, judge: Committee
) -> None:
    disprove(chain, batch, judge, 3)

    assert judged.totals().rejected == 40


@pytest.mark.parametrize("ruling", [Ruling.UPHELD, Ruling.REJECTED])
def test_verdict_digest__any__is_the_librarys(
    judge: Committee, batch: Committed, ruling: Ruling
) -> None:
    ours = Verdict(batch.id, 3, batch.tree.leaf(3), ruling).digest(judge.domain)

    functions = judge.contract.functions
    theirs = functions.verdictDigest(batch.id, 3, batch.tree.leaf(3), int(ruling)).call()

    assert theirs == ours
    assert batch.status().state is State.OPEN


def test_audit_digest__any__is_the_librarys(committee: Committee, batch: Committed) -> None:
    audit = committee.audit(batch)

    assert committee.contract.functions.auditDigest(audit.abi()).call() == audit.digest(
        committee.domain
    )
