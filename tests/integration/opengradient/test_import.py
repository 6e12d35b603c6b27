"""Bringing in: an item that an enclave of OpenGradient signed is graded by the real contracts.

batch of one: Enclave, final, with a good receipt
larger: Unchallenged, and a challenged leaf is upheld
never twice: run again, crash at each step, two relays' worth of the same | what cannot go is told
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tallystick.actions.submission.journal import SubmissionJournal
from tallystick.chain.call import Call
from tallystick.chain.sender import Sent
from tallystick.cli.opengradient import opengradient
from tallystick.opengradient.audit import audit
from tallystick.opengradient.errors import OpenGradientError
from tallystick.opengradient.import_batches import ImportBatch, ImportBatches
from tallystick.opengradient.importer import Importer, ImportTarget, verified_items
from tallystick.opengradient.item import SignedItem
from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import DisputeKind, Grade, Outcome, State
from tallystick.protocol.events import BatchChallenged
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.opengradient_item import Item
from tallystick.protocol.opening import Opening
from tallystick.protocol.receipt import Receipt
from tallystick.storage.batch_store import BatchStore
from tests.integration.conftest import Commands
from tests.integration.opengradient.conftest import Auditor
from tests.support.chain import Chain, ChainSender
from tests.support.enclave import Endorsed, endorsed
from tests.support.keys import HeldKey
from tests.support.opengradient import OpenGradient, Tee
from tests.support.story import HOUR, Network, register

MAX_AGE = 2 * HOUR


@pytest.fixture
def attestor(chain: Chain) -> Endorsed:
    return endorsed(chain, "OpenGradientItem", MAX_AGE)


@pytest.fixture
def home(chain: Chain, attestor: Endorsed, operator: bytes) -> Network:
    """The network that items are brought into."""
    places = (bytes(20), attestor.address, bytes(20))
    network = register(
        chain, chain.accounts[1], salt=21, attestors=places, arbiter=attestor.address
    )
    network.join(operator)
    return network


@pytest.fixture
def key(tee: Tee, attestor: Endorsed, operator: bytes) -> HeldKey:
    """The enclave's key, endorsed for the operator."""
    key = tee.held
    attestor.endorse(key, operator)
    return key


class Crash(BaseException):
    """The process is gone: nothing catches it."""


class CrashingSender(ChainSender):
    """Crashes at one of its transactions, before or after it."""

    crash: tuple[str, str] = ("", "")

    def send(self, call: Call) -> Sent:
        name, when = self.crash
        if name == call.name:
            self.crash = ("", "")
            if when == "before":
                raise Crash
        sent = super().send(call)
        if name == call.name and when == "after":
            raise Crash
        return sent


@pytest.fixture
def sender(chain: Chain, operator: bytes) -> CrashingSender:
    return CrashingSender(chain, operator)


@pytest.fixture
def importer(
    chain: Chain,
    home: Network,
    sender: CrashingSender,
    tee: Tee,
    tmp_path: Path,
) -> Importer:
    return Importer(
        chain.registry,
        sender,
        chain.ledger,
        lambda: chain.w3.eth.get_block("pending")["timestamp"],
        BatchStore(str(tmp_path / "batches")),
        tmp_path / "receipts",
        ImportTarget(home.id, home.model_id),
        {tee.id: tee.der, Tee(1).id: Tee(1).der},
    )


def held_items(auditor: Auditor) -> list[list[SignedItem]]:
    folder = auditor.extract()
    return verified_items(folder, audit(folder, auditor.source(), workers=1))


def bring_all(
    importer: Importer, settlements: Sequence[Sequence[SignedItem]], singly: bool = False
) -> list[Any]:
    batches, _ = importer.plan(settlements, singly)
    waiting = importer.imports.waiting()
    for batch in batches:
        importer.imports.note(batch)
    return [importer.bring(batch) for batch in (*waiting, *batches)]


def test_bring__individual_settlement__is_graded_enclave_and_final(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    importer: Importer,
    home: Network,
    operator: bytes,
) -> None:
    item = tee.item(0, og.chain.now)
    og.individual(item)

    (done,) = bring_all(importer, held_items(auditor))

    assert done.grade is Grade.ENCLAVE
    (record,) = og.chain.ledger().batches.values()
    assert (record.grade, record.batch.count) == (Grade.ENCLAVE, 1)
    receipt = Receipt.from_json(json.loads(done.submitted.receipts.read_text()))
    receipt.check()
    assert receipt.opening.inference.output_hash == item.output_hash
    og.chain.at(record.stamp.closes_at)
    og.chain.send(operator, "finalize", [(record.id, record.stamp.pack())], home.id, operator)
    assert home.totals().enclave == 1
    assert og.chain.ledger().batches[record.id].outcome is Outcome.ENCLAVE


def test_bring__larger_batch__stays_unchallenged(
    og: OpenGradient, tee: Tee, key: HeldKey, auditor: Auditor, importer: Importer, home: Network
) -> None:
    og.settle(tee.items(range(5), og.chain.now))

    (done,) = bring_all(importer, held_items(auditor))

    assert done.grade is Grade.UNCHALLENGED
    (record,) = og.chain.ledger().batches.values()
    assert (record.grade, record.batch.count) == (Grade.UNCHALLENGED, 5)


def test_bring__challenged_leaf_of_a_larger_batch__is_upheld_by_its_own_signature(
    og: OpenGradient, tee: Tee, key: HeldKey, auditor: Auditor, importer: Importer, home: Network
) -> None:
    chain = og.chain
    og.settle(tee.items(range(5), chain.now))
    (done,) = bring_all(importer, held_items(auditor))
    (record,) = chain.ledger().batches.values()
    challenger, plan = chain.accounts[4], done.submitted.plan
    home.fund(challenger)
    inference = plan.records[3].inference(home.model_id, record.batch.operator)
    opening = Opening(inference, 3, plan.tree.proof(3))
    mined = chain.send(
        challenger, "challenge", record.batch.abi(), record.stamp.pack(), opening.abi()
    )
    event = mined.event(BatchChallenged)
    dispute = Dispute(DisputeKind.CHALLENGE, False, challenger, 3, event.due, event.leaf)

    signed = done.batch.items[3]
    item = Item(signed.input_hash, signed.output_hash, signed.timestamp)
    evidence = item.ruling_evidence(key.key, signed.signature)
    pre_image = replace(chain.ledger().batches[record.id].pre_image, dispute=dispute)
    chain.send(chain.accounts[9], "resolve", pre_image.abi(), inference.abi_leaf(), evidence)

    assert chain.ledger().batches[record.id].state is State.OPEN
    assert home.totals().rejected == 0


def test_bring__larger_batch_singly__each_is_graded(
    og: OpenGradient, tee: Tee, key: HeldKey, auditor: Auditor, importer: Importer
) -> None:
    og.settle(tee.items(range(3), og.chain.now))

    bring_all(importer, held_items(auditor), singly=True)

    batches = og.chain.ledger().batches.values()
    assert [(one.grade, one.batch.count) for one in batches] == [(Grade.ENCLAVE, 1)] * 3


def test_bring__what_did_not_hold__stays_out(
    og: OpenGradient, tee: Tee, key: HeldKey, auditor: Auditor, importer: Importer
) -> None:
    items = tee.items(range(4), og.chain.now)
    items[1] = items[1]._replace(signature=bytes(256))
    og.settle(items)
    og.individual(items[0])
    og.settle(items[2:], root=b"r" * 32)

    (done,) = bring_all(importer, held_items(auditor))

    assert [one.input_hash for one in done.batch.items] == [
        items[place].input_hash for place in (0, 2, 3)
    ]


def test_plan__brought_in_already__nothing_is_new(
    og: OpenGradient, tee: Tee, key: HeldKey, auditor: Auditor, importer: Importer
) -> None:
    og.settle(tee.items(range(3), og.chain.now))
    bring_all(importer, held_items(auditor))
    og.individual(tee.item(9, og.chain.now))

    again, _ = importer.plan(held_items(auditor), singly=True)

    assert [len(batch.items) for batch in again] == [1]
    bring_all(importer, held_items(auditor))
    assert [one.batch.count for one in og.chain.ledger().batches.values()] == [3, 1]
    assert importer.plan(held_items(auditor)) == ([], {})
    assert importer.imports.waiting() == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["claim", "commitAttested"])
def test_bring__crash_at_a_transaction__second_run_commits_once_and_graded(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    importer: Importer,
    sender: CrashingSender,
    call: str,
    when: str,
) -> None:
    og.individual(tee.item(0, og.chain.now))
    sender.crash = (call, when)
    with pytest.raises(Crash):
        bring_all(importer, held_items(auditor))
    og.chain.mine(30)

    (done,) = bring_all(importer, held_items(auditor))

    (record,) = og.chain.ledger().batches.values()
    assert record.grade is done.grade is Grade.ENCLAVE
    assert done.warnings == ()
    assert importer.imports.waiting() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_bring__crash_at_a_larger_batch__second_run_commits_once(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    importer: Importer,
    sender: CrashingSender,
    when: str,
) -> None:
    og.settle(tee.items(range(3), og.chain.now))
    sender.crash = ("commit", when)
    with pytest.raises(Crash):
        bring_all(importer, held_items(auditor))
    og.settle(tee.items([0, 5], og.chain.now))

    bring_all(importer, held_items(auditor))

    assert [one.batch.count for one in og.chain.ledger().batches.values()] == [3, 2]


def test_note__item_in_another_import_batch__is_refused(tmp_path: Path) -> None:
    first, second = Tee().items(range(2), 1_800_000_000)
    batches = ImportBatches(tmp_path, b"scope")
    batches.note(ImportBatch((first,)))

    with pytest.raises(sqlite3.IntegrityError):
        batches.note(ImportBatch((second, first)))

    assert batches.waiting() == [ImportBatch((first,))]
    assert batches.new([first, second, second]) == [second]
    assert ImportBatches(tmp_path, b"elsewhere").new([first]) == [first]


def test_bring__crash_at_the_journal__second_run_commits_once_and_graded(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    importer: Importer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_: object) -> None:
        raise Crash

    og.individual(tee.item(0, og.chain.now))
    with monkeypatch.context() as patch:
        patch.setattr(SubmissionJournal, "note", crash)
        with pytest.raises(Crash):
            bring_all(importer, held_items(auditor))

    bring_all(importer, held_items(auditor))

    (record,) = og.chain.ledger().batches.values()
    assert record.grade is Grade.ENCLAVE


def test_bring__claimed_batch_can_no_longer_be_committed__is_unchallenged_and_told(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    importer: Importer,
    sender: CrashingSender,
    home: Network,
    operator: bytes,
) -> None:
    og.individual(tee.item(0, og.chain.now))
    sender.crash = ("claim", "after")
    with pytest.raises(Crash):
        bring_all(importer, held_items(auditor))
    home.commit(operator)

    (done,) = bring_all(importer, held_items(auditor))

    assert done.grade is Grade.UNCHALLENGED
    (warning,) = done.warnings
    assert "is claimed for batch" in warning
    assert [one.batch.count for one in og.chain.ledger().batches.values()] == [5, 1]


def test_plan__what_the_attestor_would_refuse__is_told_by_reason(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    importer: Importer,
    attestor: Endorsed,
) -> None:
    other, old = Tee(1), og.chain.now
    og.register(other)
    stranger = Tee(2).item(3, old)
    og.chain.at(old + MAX_AGE)
    now = old + MAX_AGE
    og.settle([tee.item(0, now), other.item(1, now), tee.item(2, old)])
    settlements = [*held_items(auditor), [stranger]]

    batches, reasons = importer.plan(settlements)

    assert [len(batch.items) for batch in batches] == [1]
    assert reasons == {"key_not_endorsed": 1, "too_old": 1, "key_missing": 1}


@pytest.mark.parametrize(
    ("own", "reason"), [(False, "is no OpenGradientItem"), (True, "needed: one OpenGradientItem")]
)
def test_importer__network_of_other_resolvers__is_refused(
    chain: Chain,
    network: Network,
    attestor: Endorsed,
    sender: CrashingSender,
    tmp_path: Path,
    own: bool,
    reason: str,
) -> None:
    if own:
        places = (bytes(20), attestor.address, bytes(20))
        network = register(chain, chain.accounts[1], salt=22, attestors=places)
    to = ImportTarget(network.id, network.model_id)
    store = BatchStore(str(tmp_path))

    with pytest.raises(OpenGradientError, match=reason):
        Importer(chain.registry, sender, chain.ledger, lambda: chain.now, store, tmp_path, to, {})


def line(og: OpenGradient, home: Network, tmp_path: Path) -> list[object]:
    return [
        *["--network-id", to_hex(home.id), "--model-id", to_hex(home.model_id)],
        *["--blobs", og.blobs.url],
        *["--data", tmp_path / "data", "--store", tmp_path / "batches"],
        *["--receipts", tmp_path / "receipts", "--registry", to_hex(og.chain.registry.address)],
    ]


def test_import_command__dry_run_then_run_then_again(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    home: Network,
    commands: Commands,
    tmp_path: Path,
) -> None:
    og.individual(tee.item(0, og.chain.now))
    og.settle(tee.items(range(1, 4), og.chain.now))
    auditor.extract()
    words = line(og, home, tmp_path)

    preview = commands.json("import opengradient", *words, "--dry-run", account=2)
    assert [(row["count"], row["grade"]) for row in preview] == [
        (1, "enclave"),
        (3, "unchallenged"),
    ]
    assert all(row["gas"] > 21_000 and not row["sent"] for row in preview)
    assert og.chain.ledger().batches == {}

    done = commands.json("import opengradient", *words, account=2)
    assert [(row["count"], row["grade"], row["sent"]) for row in done] == [
        (1, "enclave", True),
        (3, "unchallenged", True),
    ]
    grades = {to_hex(key): one.grade for key, one in og.chain.ledger().batches.items()}
    assert [grades[row["batch_id"]] for row in done] == [Grade.ENCLAVE, Grade.UNCHALLENGED]

    assert commands.json("import opengradient", *words, account=2) == []


def test_evidence_command__leaf_of_an_import_batch__is_what_upholds_it(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    importer: Importer,
    tmp_path: Path,
) -> None:
    og.settle(tee.items(range(3), og.chain.now))
    (done,) = bring_all(importer, held_items(auditor))
    file = tmp_path / "receipts" / "imports" / f"{done.batch.name}.items.jsonl"
    words = [
        "evidence",
        str(file),
        "--data",
        str(tmp_path / "data"),
    ]

    shown = CliRunner().invoke(opengradient, [*words, "--leaf", "2", "--json"])
    beyond = CliRunner(mix_stderr=False).invoke(opengradient, [*words, "--leaf", "3"])

    signed = done.batch.items[2]
    item = Item(signed.input_hash, signed.output_hash, signed.timestamp)
    evidence = item.ruling_evidence(key.key, signed.signature)
    assert json.loads(shown.stdout)["evidence"] == to_hex(evidence)
    assert "has 3 items" in beyond.stderr


def test_import_command__stake_for_one_batch_only__tells_what_went(
    og: OpenGradient,
    tee: Tee,
    key: HeldKey,
    auditor: Auditor,
    home: Network,
    operator: bytes,
    commands: Commands,
    tmp_path: Path,
) -> None:
    og.individual(tee.item(0, og.chain.now))
    og.settle(tee.items(range(1, 4), og.chain.now))
    auditor.extract()
    og.chain.send(operator, "unstake", home.id, home.lane(operator).stake - 11)

    result = commands.run("import opengradient", *line(og, home, tmp_path), "--json", account=2)

    assert result.exit_code == 1
    assert [row["grade"] for row in json.loads(result.stdout)] == ["enclave"]
    assert "needed with this batch: 44" in result.stderr


def test_import_command__nothing_extracted__says_so(
    og: OpenGradient, home: Network, commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()

    said = commands.error("import opengradient", *line(og, home, tmp_path), account=2)

    assert "run `tallystick opengradient extract`" in said
