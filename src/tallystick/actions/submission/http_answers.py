"""An answer over HTTP that an enclave signed, committed as a batch of one with its evidence.

The network's Enclave attestor is an EnclaveHttp, whose endorsers stand for the enclave's key.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tallystick.actions.items import claim_item
from tallystick.actions.submission.journal import SubmissionJournal
from tallystick.actions.submission.plan import Submission, registered_model
from tallystick.actions.submission.submitter import PreparedSubmission, Submitted, Submitter
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.chain.sender import Sender
from tallystick.chain.view import read_view
from tallystick.errors import SubmitError
from tallystick.protocol.enclave import Approval
from tallystick.protocol.enclave_http import HttpModel
from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.http_signature import SignedExchange, named_model
from tallystick.protocol.keys import key_id
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore

CONTRACT = "EnclaveHttp"
LABEL = "enclave-http"
"""Tells these submissions apart from those of the same bytes without evidence."""


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """An answer that the attestor takes as things stand, with the batch that it becomes."""

    exchange: SignedExchange
    model: HttpModel
    order: Submission
    prepared: PreparedSubmission
    warnings: list[str] = field(default_factory=list)


class AnswerSubmitter:
    """Commits answers in one operator's lane, once each.

    Args:
        registry: the contract.
        sender: the operator.
        ledger: reads the events up to the latest block.
        now: reads the time of a block mined now, in Unix seconds.
        store: where batch data go.
        receipts: folder of receipts and of the journal.
        network_id: 32 bytes.
        model_id: of a model of the spec ENCLAVE-HTTP, 32 bytes.

    Raises:
        SubmitError: the network's Enclave attestor is no EnclaveHttp.
    """

    def __init__(
        self,
        registry: Registry,
        sender: Sender,
        ledger: Callable[[], Ledger],
        now: Callable[[], int],
        store: BatchStore,
        receipts: Path,
        network_id: bytes,
        model_id: bytes,
    ) -> None:
        self._registry, self._sender, self._ledger, self._now = registry, sender, ledger, now
        self._network_id, self._model_id = network_id, model_id
        journal = SubmissionJournal.beside(receipts)
        self._submitter = Submitter(registry, sender, ledger, now, store, journal, receipts)
        self._resolver = registry.rules(network_id).attestors[Grade.ENCLAVE - 1]
        try:
            self._named = bool(self._view("NAMED"))
        except (ContractError, ValueError) as error:
            raise SubmitError(
                f"the network's Enclave attestor {checksummed(self._resolver)} is no {CONTRACT}: "
                f"{error}"
            ) from error

    def prepare(self, exchange: SignedExchange) -> PreparedAnswer:
        """Return the batch that an answer becomes; writes and sends nothing.

        Raises:
            SubmitError: network or model are unknown, or the attestor would refuse the answer.
            FieldError: the model is no name for HTTP answers.
        """
        model = HttpModel.of(registered_model(self._ledger(), self._network_id, self._model_id))
        answer = exchange.answer
        record = InferenceRecord(input=answer.request, output=answer.response)
        order = Submission([record], self._network_id, self._model_id, label=LABEL)
        prepared = self._submitter.prepare(order)
        warnings: list[str] = []
        if not prepared.plan.committed:
            self._check_form(exchange, model)
            self._check_key(exchange)
            warnings += _other_model(exchange, model)
        return PreparedAnswer(exchange, model, order, prepared, warnings)

    def simulate(self, answer: PreparedAnswer) -> int | None:
        """Return the gas of the commit without claim and evidence; None: it is not sent."""
        return self._submitter.simulate(answer.prepared)

    def send(self, answer: PreparedAnswer) -> Submitted:
        """Claim the item, and commit it with its evidence, unless the chain has it.

        Raises:
            SubmitError: the stake is too small, or the item is another batch's.
            ContractError: registry or attestor refuse it.
        """
        prepared = answer.prepared
        if not prepared.plan.committed:
            if not prepared.covered:
                raise SubmitError(
                    f"the lane's stake is {prepared.stake}; "
                    f"needed with this batch: {prepared.stake_needed}"
                )
            # Fixed before it is claimed: an item is claimed for one batch id, and for good.
            self._submitter.note(prepared)
            batch_id = prepared.plan.batch.id()
            item = answer.exchange.answer.item()
            claimed = claim_item(
                self._registry, self._sender, CONTRACT, self._resolver, item, batch_id
            )
            if claimed != batch_id:
                raise SubmitError(
                    f"the answer is claimed for batch {to_hex(claimed)}, for good: it can stand in "
                    "no other one"
                )
        plan = prepared.plan
        inference = plan.records[0].inference(plan.batch.model_id, plan.batch.operator)
        evidence = answer.exchange.answer.evidence(inference, answer.model)
        attested = replace(answer.order, attestation=(Grade.ENCLAVE, evidence))
        return self._submitter.submit(attested)

    def _check_form(self, exchange: SignedExchange, model: HttpModel) -> None:
        needed = "named" if self._named else "plain"
        if exchange.form != needed:
            raise SubmitError(
                f"the text is signed in the {exchange.form} form; the network's attestor takes the "
                f"{needed} one"
            )
        if exchange.name not in (None, model.name):
            raise SubmitError(
                f"the text names the model {exchange.name!r}; the one to commit for is "
                f"{model.name!r}"
            )

    def _check_key(self, exchange: SignedExchange) -> None:
        signer, now = exchange.answer.signer, self._now()
        measurement, operator, first, last, revoked = self._view("endorsementOf", key_id(signer))
        key = f"the enclave's key {checksummed(signer)}"
        if not last:
            raise SubmitError(f"{key} is not endorsed in {checksummed(self._resolver)}")
        if revoked:
            raise SubmitError(f"{key} is revoked")
        if bytes.fromhex(operator[2:]) != self._sender.address:
            raise SubmitError(f"{key} is endorsed for the operator {operator}")
        if not first <= now <= last:
            raise SubmitError(f"{key} is valid from {first} to {last}; it is {now}")
        if self._view("approvalOf", measurement) != Approval.APPROVED:
            raise SubmitError(f"{key} is of measurement {to_hex(measurement)}, not approved")

    def _view(self, name: str, *args: Any) -> Any:
        return read_view(self._registry.w3, CONTRACT, self._resolver, name, *args)


def _other_model(exchange: SignedExchange, model: HttpModel) -> list[str]:
    """Warn where nothing signed says which model it was, and the request says another one."""
    asked, shown = named_model(exchange.answer.request), model.name.decode("utf-8", "replace")
    if exchange.name is not None or asked in (None, shown):
        return []
    return [f"the request asks for the model {asked}; it is committed for {shown}"]
