"""Committee.rule, and what members sign."""

import pytest

from tallystick.committee import Verdict
from tallystick.enums import Ruling, State
from tests.contracts.committee.acts import disprove
from tests.support.chain import reverts


def send(chain, batch, index, evidence):
    return chain.send(
        chain.accounts[9], "disprove", batch.pre_image(), batch.opening(index), evidence
    )


def test_rule__signed_for_another_leaf__reverts(chain, batch, judge):
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(4), Ruling.REJECTED, [0, 1])

    with reverts("SignatureInvalid"):
        send(chain, batch, 3, evidence)


def test_rule__signed_for_another_place__reverts(chain, batch, judge):
    evidence = judge.verdict(batch.id, 4, batch.tree.leaf(3), Ruling.REJECTED, [0, 1])

    with reverts("SignatureInvalid"):
        send(chain, batch, 3, evidence)


def test_rule__signed_for_another_batch__reverts(chain, judged, operator, batch, judge):
    twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(3), Ruling.REJECTED, [0, 1])

    with reverts("SignatureInvalid"):
        chain.send(chain.accounts[9], "disprove", twin.pre_image(), batch.opening(3), evidence)


def test_rule__one_signature_short__reverts(chain, batch, judge):
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(3), Ruling.REJECTED, [1])

    with reverts("TooFewSigners", signers=1, threshold=2):
        send(chain, batch, 3, evidence)


def test_rule__member_that_is_leaving__reverts(chain, batch, judge):
    chain.transact(chain.accounts[1], judge.contract.functions.requestExit(1))
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(3), Ruling.REJECTED, [0, 1])

    with reverts("SignerNotActive", signers=0b011, active=0b101):
        send(chain, batch, 3, evidence)


def test_rule__upheld_by_signatures__does_not_disprove(chain, batch, judge):
    evidence = judge.verdict(batch.id, 3, batch.tree.leaf(3), Ruling.UPHELD, [0, 1])

    with reverts("NotDisproved"):
        send(chain, batch, 3, evidence)


def test_rule__rejected_by_signatures__slashes(chain, judged, batch, judge):
    disprove(chain, batch, judge, 3)

    assert judged.totals().rejected == 40


@pytest.mark.parametrize("ruling", [Ruling.UPHELD, Ruling.REJECTED])
def test_verdict_digest__any__is_the_librarys(judge, batch, ruling):
    ours = Verdict(batch.id, 3, batch.tree.leaf(3), ruling).digest(judge.domain)

    functions = judge.contract.functions
    theirs = functions.verdictDigest(batch.id, 3, batch.tree.leaf(3), int(ruling)).call()

    assert theirs == ours
    assert batch.status().state is State.OPEN


def test_audit_digest__any__is_the_librarys(panel, batch):
    audit = panel.audit(batch)

    assert panel.contract.functions.auditDigest(audit.abi()).call() == audit.digest(panel.domain)
