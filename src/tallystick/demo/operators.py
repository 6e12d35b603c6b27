"""Operators answer requests, keep a batch's data in a store, and commit to its root."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tallystick.arrange import Destination, arrange
from tallystick.demo.cast import Requester, requesters
from tallystick.demo.digits.model import Digits
from tallystick.demo.world import Stage, World
from tallystick.inference import Request
from tallystick.keccak import keccak256
from tallystick.record import Record
from tallystick.store import BatchStore
from tallystick.words import ZERO32


@dataclass
class Operator:
    """One lane of the story."""

    world: World
    stage: Stage
    name: str
    digits: Digits
    store: BatchStore
    people: Sequence[Requester] = field(default_factory=requesters)
    asked: int = 0
    slot: int = 0

    @property
    def address(self) -> bytes:
        """The operator's account, 20 bytes."""
        return self.world.senders[self.name].address

    def answer(self, samples: Sequence[bytes]) -> list[Record]:
        """Run the model on samples; in a solicited network each is somebody's signed request."""
        outputs = self.digits.infer(samples)
        return [self._record(*pair) for pair in zip(samples, outputs, strict=True)]

    def commit(self, records: Sequence[Record], keep: bool = True) -> None:
        """Arrange the records, keep their data unless told to withhold it, and commit."""
        now = int(self.world.w3.eth.get_block("latest")["timestamp"])
        lane = self.world.registry.lane(self.stage.id, self.address)
        place = Destination(
            self.world.registry.domain, self.stage.rules, self.address, lane.next_index, now
        )
        arranged = arrange(records, place, self.stage.model_id)
        tree = arranged.tree()
        if keep:
            self.store.put(self.stage.model_id, self.address, arranged.records, tree)
        commitment = (
            self.stage.id,
            self.stage.model_id,
            tree.root,
            lane.next_index,
            self.slot,
            tree.count,
            arranged.by,
            ZERO32,
            ZERO32,
        )
        self.world.send_for(self.stage, self.name, "commit", commitment)
        self.slot += 1

    def _record(self, sample: bytes, output: bytes) -> Record:
        record = Record(keccak256(sample), keccak256(output), input=sample, output=output)
        if not self.stage.rules.solicited:
            return record
        person = self.people[self.asked % len(self.people)]
        now = int(self.world.w3.eth.get_block("latest")["timestamp"])
        nonce, deadline = self.asked, now + self.stage.rules.challenge_window // 2
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


def altered(records: Sequence[Record], every: int) -> list[Record]:
    """Return the records with another digit in every so-many-th answer."""
    changed = []
    for number, record in enumerate(records):
        if number % every == 0:
            assert record.output is not None
            output = bytes([(record.output[0] + 1) % 10])
            record = replace(record, output=output, output_hash=keccak256(output))
        changed.append(record)
    return changed
