"""Committee: who may sign, what a signature is worth, and what a wrong one costs"""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.committee import Audit, Verdict, packed
from tallystick.draw import draw
from tallystick.enums import Grade, Ruling, State
from tallystick.hexes import checksummed
from tallystick.signature import account_of, sign
from tests.support.chain import reverts
from tests.support.committee import EXIT_DELAY, KEYS, MIN_STAKE, found
from tests.support.story import register

BURN = bytes.fromhex("000000000000000000000000000000000000dead")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def panel(chain):
    """Two of three EOAs."""
    return found(chain, threshold=2, members=3)


@pytest.fixture
def judged(chain, network_owner, operator, panel):
    network = register(
        chain,
        network_owner,
        salt=5,
        arbiter=panel.address,
        attestors=(panel.address, bytes(20), bytes(20)),
    )
    network.join(operator)
    return network


@pytest.fixture
def batch(judged, operator):
    return judged.commit(operator, count=40)


def seed_of(chain, batch, delay=2):
    number = batch.stamp.committed_block + delay
    if chain.w3.eth.block_number <= number:
        chain.mine(number + 1 - chain.w3.eth.block_number)
    return bytes(chain.w3.eth.get_block(number)["hash"])


def attest(chain, batch, evidence, sender=None):
    reference = batch.batch.abi(), batch.stamp.pack()
    return chain.send(sender or chain.accounts[9], "attest", *reference, 1, evidence)


def disprove(chain, batch, panel, index, members, ruling=Ruling.REJECTED):
    evidence = panel.verdict(batch.id, index, batch.tree.leaf(index), ruling, members)
    arguments = batch.pre_image(), batch.opening(index), evidence
    return chain.send(chain.accounts[9], "disprove", *arguments)


def test_attest__threshold_of_signatures__is_audited(chain, batch, panel):
    evidence = panel.audit(batch.id, seed_of(chain, batch), 3, [0, 2])

    attest(chain, batch, evidence)

    assert batch.status().grade is Grade.AUDITED


def test_attest__one_signature_short__reverts(chain, batch, panel):
    with reverts("TooFewSigners", signers=1, threshold=2):
        attest(chain, batch, panel.audit(batch.id, seed_of(chain, batch), 3, [1]))


def test_attest__a_signature_twice__reverts(chain, batch, panel):
    statement = Audit(batch.id, seed_of(chain, batch), 3)
    signature = sign(statement.digest(panel.domain), KEYS[0])

    with reverts("SignatureInvalid", member=1):
        attest(chain, batch, statement.evidence({0: signature, 1: signature}))


@pytest.mark.parametrize("members", [[1, 1], [2, 0], [0, 3]])
def test_attest__signatures_out_of_order_or_of_nobody__reverts(chain, batch, panel, members):
    statement = Audit(batch.id, seed_of(chain, batch), 3)
    digest = statement.digest(panel.domain)
    signatures = b"".join(packed({member: sign(digest, KEYS[member])}) for member in members)

    with reverts("SignersOutOfOrder", member=members[1]):
        attest(chain, batch, statement.evidence({}) + signatures)


def test_attest__signed_for_another_batch__reverts(chain, judged, operator, batch, panel):
    twin = judged.commit(operator, count=40, slot=1, root=batch.batch.root)
    evidence = panel.audit(batch.id, seed_of(chain, twin), 3, [0, 1])

    with reverts("StatementMismatch", statedId=batch.id, batchId=twin.id):
        attest(chain, twin, evidence)


def test_attest__signed_for_another_committee__reverts(chain, batch, panel):
    other = found(chain, threshold=2, members=3, staked=False, min_drawn=4)

    with reverts("SignatureInvalid"):
        attest(chain, batch, other.audit(batch.id, seed_of(chain, batch), 3, [0, 1]))


def test_attest__statement_that_the_batch_is_bad__reverts(chain, batch, panel):
    statement = Audit(batch.id, seed_of(chain, batch), 3, verdict=False)
    signatures = panel.sign(statement.digest(panel.domain), [0, 1])

    with reverts("StatementMismatch", verdict=False):
        attest(chain, batch, statement.evidence(signatures))


def test_attest__seed_of_another_block__reverts(chain, batch, panel):
    seed_of(chain, batch)
    wrong = bytes(chain.w3.eth.get_block(batch.stamp.committed_block)["hash"])

    with reverts("SeedMismatch", seed=wrong):
        attest(chain, batch, panel.audit(batch.id, wrong, 3, [0, 1]))


def test_attest__before_the_seeds_block__reverts(chain, batch, panel):
    with reverts("SeedUnavailable", blockNumber=batch.stamp.committed_block + 2):
        attest(chain, batch, panel.audit(batch.id, bytes(32), 3, [0, 1]))


def test_attest__300_blocks_later__reads_the_history_contract(chain, batch, panel):
    seed = seed_of(chain, batch)
    chain.mine(300)

    attest(chain, batch, panel.audit(batch.id, seed, 3, [0, 1]))

    assert batch.status().grade is Grade.AUDITED


@pytest.mark.parametrize(("count", "drawn", "needed"), [(40, 2, 3), (2, 1, 2)])
def test_attest__too_few_drawn__reverts(chain, judged, operator, panel, count, drawn, needed):
    batch = judged.commit(operator, count=count)

    with reverts("TooFewDrawn", drawn=drawn, needed=needed):
        attest(chain, batch, panel.audit(batch.id, seed_of(chain, batch), drawn, [0, 1]))


def test_attest__windows_longer_than_the_exit_delay__reverts(chain, network_owner, operator):
    short = found(chain, threshold=1, members=1, exit_delay=7 * 3600 - 1)
    places = (short.address, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=6, attestors=places)
    network.join(operator)
    batch = network.commit(operator)

    with reverts("ExitDelayTooShort", exitDelay=7 * 3600 - 1, needed=7 * 3600):
        attest(chain, batch, short.audit(batch.id, seed_of(chain, batch), 5, [0]))


def test_attest__member_without_stake__reverts(chain, network_owner, operator):
    panel = found(chain, threshold=1, members=2, staked=False)
    one_short = panel.contract.functions.stake(0, MIN_STAKE - 1)
    chain.transact(chain.accounts[0], one_short, value=MIN_STAKE - 1)
    places = (panel.address, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=6, attestors=places)
    network.join(operator)
    batch = network.commit(operator)
    evidence = panel.audit(batch.id, seed_of(chain, batch), 5, [0])

    with reverts("SignerNotActive", signers=1, active=0):
        attest(chain, batch, evidence)
    chain.transact(chain.accounts[0], panel.contract.functions.stake(0, 1), value=1)
    attest(chain, batch, evidence)

    assert batch.status().grade is Grade.AUDITED


def test_attest__member_that_is_leaving__reverts(chain, batch, panel):
    chain.transact(chain.accounts[1], panel.contract.functions.requestExit(1))

    with reverts("SignerNotActive", active=0b101):
        attest(chain, batch, panel.audit(batch.id, seed_of(chain, batch), 3, [0, 1]))


def test_signers__eoa_wallet_and_p256__each_count(chain, network_owner, operator):
    owner_key, p256 = KEYS[5], ec.derive_private_key(12345, ec.SECP256R1())
    wallet = chain.deploy("MockWallet", checksummed(account_of(owner_key)))
    verifier = chain.deploy("MockP256Verifier")
    numbers = p256.public_key().public_numbers()
    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    signers = [
        account_of(KEYS[0]),
        bytes.fromhex(wallet.address[2:]),
        bytes.fromhex(verifier.address[2:]) + point,
    ]
    panel = found(chain, threshold=3, members=3, signers=signers)
    places = (panel.address, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=6, attestors=places)
    network.join(operator)
    batch = network.commit(operator)
    statement = Audit(batch.id, seed_of(chain, batch), 5)
    digest = statement.digest(panel.domain)
    r, s = utils.decode_dss_signature(p256.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
    s = min(s, P256_ORDER - s)
    by_key = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    good = {0: sign(digest, KEYS[0]), 1: sign(digest, owner_key), 2: by_key}

    for member in good:
        bad = good | {member: bytes(64)}
        with reverts("SignatureInvalid", member=member):
            attest(chain, batch, statement.evidence(bad))
    attest(chain, batch, statement.evidence(good))

    assert batch.status().grade is Grade.AUDITED


def test_rule__signed_for_another_leaf__reverts(chain, batch, panel):
    evidence = panel.verdict(batch.id, 3, batch.tree.leaf(4), Ruling.REJECTED, [0, 1])

    with reverts("SignatureInvalid"):
        chain.send(chain.accounts[9], "disprove", batch.pre_image(), batch.opening(3), evidence)


def test_rule__upheld_by_signatures__does_not_disprove(chain, batch, panel):
    with reverts("NotDisproved"):
        disprove(chain, batch, panel, 3, [0, 1], Ruling.UPHELD)


def test_rule__rejected_by_signatures__slashes(chain, judged, batch, panel):
    disprove(chain, batch, panel, 3, [1, 2])

    assert judged.totals().rejected == 40


@settings(max_examples=25, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    drawn=st.integers(1, 12),
    count=st.integers(1, 40),
)
def test_draws__any_seed__holds_the_librarys_leaves(shared_chain, drawn_by, seed, drawn, count):
    batch_id = bytes(reversed(seed))
    ours = set(draw(seed, batch_id, drawn, count))

    theirs = {
        index
        for index in range(count)
        if drawn_by.functions.draws(seed, batch_id, drawn, count, index).call()
    }

    assert theirs == ours


@pytest.fixture(scope="module")
def drawn_by(shared_chain):
    return found(shared_chain, threshold=1, members=1, staked=False).contract


class TestConvict:
    def audited(self, chain, batch, members, panel):
        """An audit that drew what it must; returns statement, signatures, and a drawn leaf."""
        statement = Audit(batch.id, seed_of(chain, batch), 3)
        signatures = panel.sign(statement.digest(panel.domain), members)
        attest(chain, batch, statement.evidence(signatures))
        leaf_index = draw(statement.seed, batch.id, 3, batch.batch.count)[0]
        return statement, signatures, leaf_index

    def convict(self, chain, panel, statement, signatures):
        call = panel.contract.functions.convict(statement.abi(), packed(signatures))
        return chain.transact(chain.accounts[9], call)

    def stakes(self, panel):
        return [panel.contract.functions.standingOf(member).call()[0] for member in range(3)]

    def test_signers_whose_draw_held_the_leaf__lose_their_stake(self, chain, batch, panel):
        statement, signatures, index = self.audited(chain, batch, [0, 2], panel)
        disprove(chain, batch, panel, index, [0, 1])
        before = chain.balance(bytes(20), BURN)

        self.convict(chain, panel, statement, signatures)
        chain.transact(chain.accounts[9], panel.contract.functions.sweep())

        assert self.stakes(panel) == [0, MIN_STAKE, 0]
        assert panel.contract.functions.active().call() == 0b010
        assert chain.balance(bytes(20), BURN) - before == 2 * MIN_STAKE

    def test_twice__reverts(self, chain, batch, panel):
        statement, signatures, index = self.audited(chain, batch, [0, 2], panel)
        disprove(chain, batch, panel, index, [0, 1])
        self.convict(chain, panel, statement, signatures)

        with reverts("NoStakeToBurn", batchId=batch.id):
            self.convict(chain, panel, statement, signatures)

    def test_leaf_that_was_not_drawn__reverts(self, chain, batch, panel):
        statement, signatures, _ = self.audited(chain, batch, [0, 2], panel)
        drawn = draw(statement.seed, batch.id, 3, 40)
        spared = next(index for index in range(40) if index not in drawn)
        disprove(chain, batch, panel, spared, [0, 1])

        with reverts("LeafNotDrawn", leafIndex=spared):
            self.convict(chain, panel, statement, signatures)

    def test_batch_that_is_not_rejected__reverts(self, chain, batch, panel):
        statement, signatures, _ = self.audited(chain, batch, [0, 2], panel)

        with reverts("BatchNotConvicted", batchId=batch.id):
            self.convict(chain, panel, statement, signatures)

    def test_member_that_left_since__loses_its_stake_too(self, chain, batch, panel):
        statement, signatures, index = self.audited(chain, batch, [0, 2], panel)
        chain.transact(chain.accounts[2], panel.contract.functions.requestExit(2))
        disprove(chain, batch, panel, index, [0, 1])

        self.convict(chain, panel, statement, signatures)

        assert self.stakes(panel) == [0, MIN_STAKE, 0]


class TestStake:
    def test_stake__by_another_account__reverts(self, chain, panel, stranger):
        with reverts("NotMemberAccount", member=0, caller=stranger):
            chain.transact(stranger, panel.contract.functions.stake(0, 1), value=1)

    def test_stake__other_coins_than_said__reverts(self, chain, panel):
        with reverts("StakeAmountMismatch", sent=1, needed=2):
            chain.transact(chain.accounts[0], panel.contract.functions.stake(0, 2), value=1)

    def test_pay_out__before_leaving_and_before_the_delay__reverts(self, chain, panel):
        pay_out = panel.contract.functions.payOut(1)
        with reverts("ExitNotDue", exitAt=0):
            chain.transact(chain.accounts[1], pay_out)
        left = chain.transact(chain.accounts[1], panel.contract.functions.requestExit(1))

        chain.at(left.timestamp + EXIT_DELAY - 1)
        with reverts("ExitNotDue", exitAt=left.timestamp + EXIT_DELAY):
            chain.transact(chain.accounts[1], pay_out)

    def test_pay_out__after_the_delay_by_anyone__pays_the_member(self, chain, panel, stranger):
        left = chain.transact(chain.accounts[1], panel.contract.functions.requestExit(1))
        before = chain.balance(bytes(20), chain.accounts[1])

        chain.at(left.timestamp + EXIT_DELAY)
        chain.transact(stranger, panel.contract.functions.payOut(1))

        assert chain.balance(bytes(20), chain.accounts[1]) - before == MIN_STAKE
        assert panel.contract.functions.standingOf(1).call() == (0, 0)

    def test_leaving__staking_or_leaving_again__reverts(self, chain, panel):
        functions = panel.contract.functions
        chain.transact(chain.accounts[1], functions.requestExit(1))

        with reverts("MemberLeaving", member=1):
            chain.transact(chain.accounts[1], functions.requestExit(1))
        with reverts("MemberLeaving", member=1):
            chain.transact(chain.accounts[1], functions.stake(1, 1), value=1)


def test_verdict_digest__any__is_the_librarys(panel, batch):
    ours = Verdict(batch.id, 3, batch.tree.leaf(3), Ruling.REJECTED).digest(panel.domain)

    theirs = panel.contract.functions.verdictDigest(batch.id, 3, batch.tree.leaf(3), 2).call()

    assert theirs == ours
    assert batch.status().state is State.OPEN
