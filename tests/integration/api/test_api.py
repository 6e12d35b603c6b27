"""The API: connect, create, register, submit, check, act, end; read only, refused, resumed."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from eth_account import Account
from eth_account.messages import SignableMessage

import tallystick
from tallystick import (
    ActionError,
    BatchHandle,
    BatchRejectedError,
    Cause,
    ContractError,
    FieldError,
    Grade,
    InferenceRecord,
    NetworkHandle,
    NoContractError,
    Outcome,
    ReadOnlyError,
    ReceiptError,
    RulesError,
    State,
    SubmitError,
    TallystickError,
    UnreachableError,
    WaitError,
)
from tallystick.chain.localnet import advance, mine
from tallystick.chain.sender import Web3Sender
from tallystick.protocol.hexes import to_hex
from tests.integration.api.conftest import ETHER, OPERATOR, OTHER, OWNER, RULES, As
from tests.support.chain import Chain
from tests.support.operator_process import dev_account

YES = (1).to_bytes(32, "big")
WRONG = (2).to_bytes(32, "big")
RECORDS = [InferenceRecord(input=b"%d" % n, output=b"%d" % (n * n)) for n in range(5)]


def submitted(network: NetworkHandle, model_file: Path, records: Any = None) -> BatchHandle:
    model = network.register_model("squares", model_file, spec=b"the square of a number")
    return network.submit(model, RECORDS if records is None else records)


def test_api__life_of_a_network__is_counted(as_: As, chain: Chain, model_file: Path) -> None:
    registry = as_(OPERATOR)
    network = registry.create_network("My network", RULES)
    network.stake(ETHER)

    batch = submitted(network, model_file)

    assert network.totals().committed == len(batch) == 5
    assert network.lane().open_inferences == 5
    for place, receipt in enumerate(batch.receipts):
        receipt.check()
        assert receipt.opening.leaf_index == place
        assert registry.check(receipt).state is State.OPEN
    assert batch.receipts_file is not None
    assert len(batch.receipts_file.read_text().splitlines()) == 5
    advance(chain.w3, RULES.challenge_window)
    assert batch.wait(timeout=10).outcome is Outcome.UNCHALLENGED
    assert (network.totals().unchallenged, network.totals().verified) == (5, 0)
    batch.archive()


def test_api__what_is_there_already__is_not_made_twice(
    as_: As, chain: Chain, model_file: Path
) -> None:
    registry = as_(OPERATOR)
    first = registry.create_network("My network", RULES)
    model = first.register_model("squares", model_file, spec=b"spec")
    block = chain.w3.eth.block_number

    again = registry.create_network("My network", RULES.to_mapping())

    assert again.id == first.id
    assert again.register_model("squares", model_file, spec=b"spec") == model
    assert chain.w3.eth.block_number == block
    assert registry.create_network("Another", RULES, salt=1).id != first.id


def test_api__read_only__reads_and_cannot_send(as_: As, model_file: Path) -> None:
    network = as_(OPERATOR).create_network("My network", RULES)
    network.stake(ETHER)
    batch = submitted(network, model_file)

    registry = as_(None)

    assert registry.account is None
    assert [one.id for one in registry.networks()] == [network.id]
    found = registry.network(to_hex(network.id))
    assert (found.name, found.rules, found.owner) == ("My network", RULES, as_(OPERATOR).account)
    assert [one.name for one in found.models()] == ["squares"]
    assert found.model(found.models()[0].id) == found.models()[0]
    assert [one.id for one in found.batches()] == [batch.id]
    assert found.lane(dev_account(OPERATOR).address).stake == ETHER
    assert list(registry.batch(to_hex(batch.id)).receipts) == list(batch.receipts)
    with pytest.raises(ReadOnlyError, match="needed: key, account or signer"):
        registry.create_network("Mine", RULES)
    with pytest.raises(ReadOnlyError):
        registry.batch(batch.id).demand(0)


@pytest.mark.parametrize("crash", [False, True])
def test_submit__equal_records_again__are_one_batch(
    as_: As, chain: Chain, model_file: Path, monkeypatch: pytest.MonkeyPatch, crash: bool
) -> None:
    network = as_(OPERATOR).create_network("My network", RULES)
    network.stake(ETHER)
    if crash:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Web3Sender, "send", _crash_at("commit", Web3Sender.send))
            submitted(network, model_file)
    first = submitted(network, model_file, (one for one in RECORDS))

    mappings = [{"input_text": str(n), "output_text": str(n * n)} for n in range(5)]
    table = pa.Table.from_pylist(mappings)
    again = [submitted(network, model_file, one) for one in (RECORDS, mappings, table)]

    assert {one.id for one in again} == {first.id}
    assert network.totals().committed == 5
    other = network.submit(network.models()[0], RECORDS, label="again")
    assert (other.id != first.id, network.totals().committed) == (True, 10)


def _crash_at(name: str, send: Any) -> Any:
    def crashing(self: Web3Sender, call: Any) -> Any:
        if call.name == name:
            raise KeyboardInterrupt
        return send(self, call)

    return crashing


def test_submit__file__is_the_batch_of_its_lines(as_: As, model_file: Path, tmp_path: Path) -> None:
    network = as_(OPERATOR).create_network("My network", RULES)
    network.stake(ETHER)
    path = tmp_path / "inferences.jsonl"
    path.write_text(
        '{"input": "0x01", "output_text": "one"}\n{"input_base64": "Ag==", "output": "0x"}'
    )

    batch = submitted(network, model_file, str(path))

    assert [one.opening.inference.output_hash for one in batch.receipts] == [
        InferenceRecord(input=b"", output=output).output_hash for output in (b"one", b"")
    ]
    assert submitted(network, model_file, path).id == batch.id


def test_prepare__short_of_stake__tells_and_sends_nothing(as_: As, model_file: Path) -> None:
    network = as_(OPERATOR).create_network("My network", RULES)
    model = network.register_model("squares", model_file, spec=b"spec")

    prepared = network.prepare(model, RECORDS)

    assert (prepared.plan.batch.count, prepared.stake_needed) == (5, 5 * 10**12)
    assert (prepared.covered, prepared.stake) == (False, 0)
    with pytest.raises(SubmitError, match="stake is 0; needed with this batch: 5000000000000"):
        network.submit(model, RECORDS)
    assert network.totals().committed == 0


def test_submit__model_of_nowhere__is_refused(as_: As) -> None:
    network = as_(OPERATOR).create_network("My network", RULES)

    with pytest.raises(SubmitError, match="the network has no model 0x7777"):
        network.submit(b"w" * 32, RECORDS)
    with pytest.raises(ActionError, match="the network has no model 0x7777"):
        network.model(b"w" * 32)


def test_attest__evidence__raises_the_grade_and_the_count(
    arbitrated: NetworkHandle, chain: Chain, model_file: Path
) -> None:
    batch = submitted(arbitrated, model_file)

    batch.attest(Grade.AUDITED, YES)

    assert batch.status().grade is Grade.AUDITED
    advance(chain.w3, RULES.challenge_window)
    batch.wait(timeout=10)
    assert arbitrated.totals().verified == 5


@pytest.mark.parametrize("opened_by", ["index", "receipt"])
def test_challenge__wrong_leaf__rejects_the_batch(
    arbitrated: NetworkHandle, as_: As, model_file: Path, opened_by: str
) -> None:
    mine_ = submitted(arbitrated, model_file)
    registry = as_(OTHER)
    batch = registry.batch(mine_.id)
    leaf = 3 if opened_by == "index" else mine_.receipts[3]
    with pytest.raises(ActionError, match="has credit 0; the challenge bond is"):
        batch.challenge(leaf)
    registry.network(arbitrated.id).deposit(RULES.challenge_bond)

    batch.challenge(leaf)
    assert batch.status().state is State.DISPUTED
    batch.resolve(WRONG)

    assert batch.status().cause is Cause.RULING
    with pytest.raises(BatchRejectedError, match="was rejected: ruling at leaf 3"):
        batch.wait()
    assert arbitrated.totals().rejected == 5
    assert registry.credit() > RULES.challenge_bond
    registry.withdraw(registry.credit())
    assert registry.credit() == 0


def test_disprove__evidence__rejects_without_a_bond(
    arbitrated: NetworkHandle, as_: As, model_file: Path
) -> None:
    batch = as_(OTHER).batch(submitted(arbitrated, model_file).id)

    batch.disprove(2, WRONG)

    found = batch.status()
    assert (found.state, found.cause, found.leaf_index) == (State.REJECTED, Cause.DISPROOF, 2)


def test_demand__answered__goes_on(arbitrated: NetworkHandle, as_: As, model_file: Path) -> None:
    mine_ = submitted(arbitrated, model_file)
    registry = as_(OTHER)
    registry.deposit(RULES.demand_bond)

    registry.batch(mine_.id).demand(1, with_bytes=True)
    assert mine_.status().state is State.DISPUTED
    mine_.reveal()

    assert mine_.status().state is State.OPEN


def test_demand__unanswered__times_out(
    arbitrated: NetworkHandle, as_: As, chain: Chain, model_file: Path
) -> None:
    batch = as_(OTHER).batch(submitted(arbitrated, model_file).id)
    as_(OTHER).deposit(RULES.demand_bond)
    batch.demand(1)
    with pytest.raises(ActionError, match="too early"):
        batch.timeout()
    advance(chain.w3, RULES.response_window + 1)

    batch.timeout()

    assert batch.status().cause is Cause.TIMEOUT


def test_fault__good_batch__nothing_is_sent(arbitrated: NetworkHandle, model_file: Path) -> None:
    with pytest.raises(ActionError, match="no fault is to be seen"):
        submitted(arbitrated, model_file).fault()


def test_lapse__nobody_ruled__ends_the_challenge(
    arbitrated: NetworkHandle, chain: Chain, model_file: Path
) -> None:
    batch = submitted(arbitrated, model_file)
    arbitrated.deposit(RULES.challenge_bond)
    batch.challenge(0)
    advance(chain.w3, RULES.ruling_window + 1)

    batch.lapse()

    assert batch.status().state is State.OPEN


def test_wait__window_still_open__times_out(arbitrated: NetworkHandle, model_file: Path) -> None:
    batch = submitted(arbitrated, model_file)

    with pytest.raises(WaitError, match="is open after 0.1 s"):
        batch.wait(timeout=0.1, poll=0.05)
    with pytest.raises(TimeoutError):
        batch.wait(final=False, timeout=0)


def test_wait__read_only__never_finalizes(
    arbitrated: NetworkHandle, as_: As, chain: Chain, model_file: Path
) -> None:
    batch = as_(None).batch(submitted(arbitrated, model_file).id)
    advance(chain.w3, RULES.challenge_window)

    assert batch.wait(final=False, timeout=1).state is State.OPEN
    with pytest.raises(WaitError):
        batch.wait(timeout=0.1, poll=0.05)


def test_check__receipt_that_the_chain_does_not_bear_out__names_the_part(
    arbitrated: NetworkHandle, as_: As, chain: Chain, model_file: Path
) -> None:
    from dataclasses import replace

    registry, receipt = as_(None), submitted(arbitrated, model_file).receipts[0]
    later = replace(receipt.stamp, committed_block=receipt.stamp.committed_block + 1)
    never = replace(receipt.batch, index=9)

    for changed, part in (
        (replace(receipt, chain_id=1), "chain_id"),
        (replace(receipt, registry=bytes(20)), "registry"),
        (replace(receipt, stamp=later), "stamp"),
        (replace(receipt, transaction=bytes(32)), "transaction"),
        (replace(receipt, batch=never, batch_id=never.id()), "batch"),
        (replace(receipt, leaf=bytes(32)), "leaf"),
    ):
        with pytest.raises(ReceiptError) as error:
            registry.check(changed)
        assert error.value.part == part


def test_network__unknown__is_refused_and_does_not_read_as_zeros(as_: As) -> None:
    with pytest.raises(ContractError, match="NetworkNotFound"):
        as_(None).network(b"?" * 32)
    with pytest.raises(ContractError, match="NetworkNotFound"):
        NetworkHandle(as_(None)._context, b"?" * 32).totals()


def test_create_network__rules_that_the_registry_refuses__are_named(as_: As) -> None:
    with pytest.raises(RulesError, match="challenge_window is 0 s"):
        as_(OPERATOR).create_network("My network", {"response_window": 1})


def test_admit__closed_network__lets_the_operator_commit(as_: As, model_file: Path) -> None:
    from dataclasses import replace

    owned = as_(OWNER).create_network("Closed", replace(RULES, permissionless=False))
    model = owned.register_model("squares", model_file, spec=b"spec")
    network = as_(OPERATOR).network(owned.id)
    network.stake(ETHER)
    with pytest.raises(ContractError):
        network.submit(model, RECORDS)

    owned.admit(dev_account(OPERATOR).address)
    network.submit(model.id, RECORDS)
    owned.close(dev_account(OPERATOR).address)

    assert network.lane().closed
    network.unstake(1)


class Remote:
    """A signer that is no LocalAccount, as one in front of a key server would be."""

    def __init__(self, number: int) -> None:
        self._account = dev_account(number)
        self.address = self._account.address

    def sign_transaction(self, transaction_dict: Any) -> Any:
        return self._account.sign_transaction(transaction_dict)

    def sign_message(self, signable_message: SignableMessage) -> Any:
        return self._account.sign_message(signable_message)


def _as_ape(number: int) -> Any:
    from ape import accounts

    return accounts.test_accounts[number]


@pytest.mark.parametrize(
    "actor",
    [
        lambda: {"key": "0x" + bytes(dev_account(OPERATOR).key).hex()},
        lambda: {"key": bytes(dev_account(OPERATOR).key)},
        lambda: {"signer": dev_account(OPERATOR)},
        lambda: {"signer": Remote(OPERATOR)},
        lambda: {"account": _as_ape(OPERATOR)},
    ],
    ids=["hex key", "key", "eth-account", "signer", "Ape account"],
)
def test_connect__any_who_signs__sends_and_signs(chain: Chain, actor: Any) -> None:
    registry = tallystick.connect(chain.w3, **actor())

    network = registry.create_network("My network", RULES)

    assert network.owner == registry.account == bytes.fromhex(dev_account(OPERATOR).address[2:])
    requester = registry.requester("http://127.0.0.1:9")
    requester.sign(b"m" * 32, b"in", operator=b"o" * 20, deadline=9)


def test_connect__wrong_arguments__are_named_and_the_key_is_not_told(chain: Chain) -> None:
    key = bytes(dev_account(OPERATOR).key)

    with pytest.raises(FieldError, match="who signs is key and signer; needed: one of them"):
        tallystick.connect(chain.w3, key=key, signer=dev_account(OPERATOR))
    for wrong in (key.hex()[1:], key[1:], bytes(32), "not hex", b"\xff" * 32):
        with pytest.raises(FieldError, match="^key is malformed; needed: 32 bytes") as error:
            tallystick.connect(chain.w3, key=wrong)
        assert error.value.__context__ is error.value.__cause__ is None
    with pytest.raises(NoContractError, match="has no registry at 0x0000.*tallystick.deploy"):
        tallystick.connect(chain.w3, registry=bytes(20))
    with pytest.raises(UnreachableError, match="no node answers at http://127.0.0.1:9"):
        tallystick.connect("http://127.0.0.1:9")
    with pytest.raises(FieldError, match="who deploys is not given"):
        tallystick.deploy(chain.w3)


def test_deploy__fresh_chain__is_where_connect_looks(tmp_path: Path) -> None:
    from tallystick.chain.localnet import localnet

    with localnet() as w3:
        url = w3.provider.endpoint_uri  # type: ignore[attr-defined]
        with pytest.raises(NoContractError):
            tallystick.connect(url)
        deployed = tallystick.deploy(url, signer=Account.create() and dev_account(0))
        assert tallystick.deploy(url, signer=dev_account(0)).address == deployed.address
        assert tallystick.connect(url).address == deployed.address
        assert repr(deployed).startswith("<registry 0x")


def test_committee__audit_of_a_member__is_evidence(as_: As, chain: Chain, model_file: Path) -> None:
    from dataclasses import replace

    registry = as_(OPERATOR)
    member = bytes.fromhex(dev_account(OTHER).address[2:])
    terms = tallystick.CommitteeTerms(
        asset=bytes(20),
        threshold=1,
        min_drawn=3,
        seed_delay=1,
        exit_delay=RULES.life,
        min_stake=ETHER,
        arbiter=bytes(20),
    )
    committee = registry.deploy_committee(terms, [(member, member)])
    assert registry.deploy_committee(terms, [(member, member)]).address == committee.address
    attestors = (committee.address, bytes(20), bytes(20))
    rules = replace(RULES, attestors=attestors, challenge_bond=0)
    network = registry.create_network("Audited", rules)
    network.stake(ETHER)
    batch = submitted(network, model_file)
    auditor = as_(OTHER)
    place = auditor.committee(committee.address)
    place.stake(ETHER)
    mine(chain.w3, 3)

    with pytest.raises(ActionError, match="wrong outputs at drawn leaves"):
        place.audit(auditor.batch(batch.id), lambda given: b"wrong")
    said = place.audit(auditor.batch(batch.id), lambda given: b"%d" % int(given) ** 2)
    auditor.batch(batch.id).attest(Grade.AUDITED, said.evidence())
    advance(chain.w3, RULES.challenge_window)
    batch.wait(timeout=10)

    assert network.totals().verified == 5
    assert (committee.terms, len(committee.members())) == (terms, 1)
    with pytest.raises(tallystick.CommitteeError, match="is no member"):
        committee.stake(1)


def test_errors__of_the_api__share_a_base() -> None:
    assert issubclass(RulesError, TallystickError) and issubclass(WaitError, TimeoutError)
    with pytest.raises(AttributeError, match="no attribute 'NoSuchError'"):
        _ = tallystick.NoSuchError  # type: ignore[attr-defined]
    assert {"connect", "WaitError", "Rules"} <= set(dir(tallystick))
