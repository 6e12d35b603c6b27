"""Operators answer requests, write them into files, and submit these."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tallystick.actions.submission.journal import SubmissionJournal
from tallystick.actions.submission.plan import Submission
from tallystick.actions.submission.submitter import Submitted, Submitter
from tallystick.demo.cast import Requester, requesters
from tallystick.demo.world import Stage, World
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord
from tallystick.replay.engine import Engine
from tallystick.storage.batch_store import BatchStore


@dataclass
class DemoOperator:
    """One lane of the story.

    Args:
        folder: the operator's own: files of inferences, the journal, receipts.
        store: where everybody looks for the data of batches.
    """

    world: World
    stage: Stage
    name: str
    engine: Engine
    folder: Path
    store: BatchStore
    people: Sequence[Requester] = field(default_factory=requesters)
    asked: int = 0
    files: int = 0

    @property
    def address(self) -> bytes:
        """The operator's account, 20 bytes."""
        return self.world.senders[self.name].address

    def answer(self, samples: Sequence[bytes]) -> list[InferenceRecord]:
        """Run the model on samples; in a solicited network each is somebody's signed request."""
        outputs = self.engine.infer(list(samples))
        return [self._record(*pair) for pair in zip(samples, outputs, strict=True)]

    def submit(
        self, records: Sequence[InferenceRecord], store: BatchStore | None = None
    ) -> Submitted:
        """Write the records into a file and submit it; its data go into the common store unless
        another is named."""
        self.files += 1
        path = write_records(self.folder / f"{self.name}-{self.files}.jsonl", records)
        submitter = Submitter(
            self.world.registry,
            self.world.sender_for(self.stage, self.name),
            self.world.ledger,
            lambda: self.world.now,
            store or self.store,
            SubmissionJournal.beside(self.folder),
            self.folder / "receipts",
        )
        return submitter.submit(Submission(path, self.stage.id, self.stage.model_id))

    def publish(self, submitted: Submitted) -> None:
        """Put the data of a batch that was kept elsewhere into the common store."""
        plan = submitted.plan
        self.store.put(self.stage.model_id, self.address, plan.records, plan.tree)

    def _record(self, sample: bytes, output: bytes) -> InferenceRecord:
        record = InferenceRecord(keccak256(sample), keccak256(output), input=sample, output=output)
        if not self.stage.rules.solicited:
            return record
        person = self.people[self.asked % len(self.people)]
        nonce, deadline = self.asked, self.stage.rules.latest_deadline(self.world.now)
        self.asked += 1
        request = Request(
            self.stage.model_id,
            self.address,
            record.input_hash,
            person.address,
            nonce,
            deadline,
        )
        signature = request.sign(self.world.registry.domain, person.key)
        return replace(
            record,
            requester=person.address,
            nonce=nonce,
            deadline=deadline,
            signature=signature,
        )


def altered(records: Sequence[InferenceRecord], every: int) -> list[InferenceRecord]:
    """Return the records with other logits in every so-many-th answer."""
    changed = []
    for number, record in enumerate(records):
        if number % every == 0:
            assert record.output is not None
            output = record.output[1:] + record.output[:1]
            record = replace(record, output=output, output_hash=keccak256(output))
        changed.append(record)
    return changed


def write_records(path: Path, records: Sequence[InferenceRecord]) -> Path:
    """Write records into a file that `submit` takes; return it."""
    path.write_text("".join(json.dumps(_line(record)) + "\n" for record in records))
    return path


def _line(record: InferenceRecord) -> dict[str, Any]:
    """A record as a line of a file that `submit` takes."""
    assert record.input is not None and record.output is not None
    line: dict[str, Any] = {"input": to_hex(record.input), "output": to_hex(record.output)}
    if record.solicited:
        line |= {"requester": to_hex(record.requester), "nonce": record.nonce}
        line |= {"deadline": record.deadline, "signature": to_hex(record.signature)}
    return line
