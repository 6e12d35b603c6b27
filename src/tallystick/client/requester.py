"""A requester: signs requests, asks an operator's node, and holds it to its word.

Nothing that a node says is taken on trust: outputs must hash to what its acknowledgement names,
the acknowledgement must be signed by the operator or by the key that the registry has for it, and
a receipt must lead from the very request and output to a batch that the chain has.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tallystick.chain.registry import Registry
from tallystick.chain.sender import Sender
from tallystick.client.connection import Connection
from tallystick.client.receipts import NodeReceipts, NoReceipt
from tallystick.closing import Closing
from tallystick.errors import (
    AnswerError,
    ContractError,
    FieldError,
    OperatorError,
    SignatureError,
    WaitError,
)
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Ledger, Model
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.wire import (
    AnsweredInferences,
    AskedInference,
    AskedInferences,
    OperatorSaid,
)

_POLL = 1.0


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request with its input and the requester's signature."""

    request: Request
    input: bytes
    signature: bytes

    @property
    def id(self) -> bytes:
        """Its hashStruct, 32 bytes, by which the operator knows it."""
        return self.request.struct_hash()


@dataclass(frozen=True, slots=True)
class OperatorAnswer:
    """An operator's answer to one request, under its signature; to be kept until the receipt."""

    asked: SignedRequest
    output: bytes
    word: Acknowledgement
    """On all answers of one HTTP request."""
    signature: bytes
    """The operator's, over the word."""
    block: int
    """At which the registry had the word's key for the operator; see Acknowledgement.judge."""


class Requester(Closing):
    """Asks one operator's node; made by `RegistryHandle.requester`. Closes as a context manager.

    Args:
        url: of the node.
        registry: whose networks the operator works in.
        signer: who asks.
        ledger: reads the events of a lane up to the latest block, by network id and operator.
        timeout: seconds for an answer.

    Raises:
        MissingExtraError: httpx is not installed.
    """

    def __init__(
        self,
        url: str,
        registry: Registry,
        signer: Sender,
        ledger: Callable[[bytes, bytes], Ledger],
        timeout: float = 30.0,
    ) -> None:
        self._registry, self._signer, self._ledger = registry, signer, ledger
        self._node = Connection(url, timeout)

    def close(self) -> None:
        """Let go of the connection."""
        self._node.close()

    def about(self) -> OperatorSaid:
        """Return what the node says of itself.

        Raises:
            OperatorError: it does not answer, or has not seen the chain yet.
            AnswerError: it is of another chain or registry.
        """
        said = self._node.get("/", OperatorSaid)
        said.check_place(self._registry.domain, "the operator")
        if not said.ready:
            raise OperatorError(None, "the node has not seen the chain yet")
        return said

    def sign(
        self,
        model: Model | bytes,
        data: bytes,
        *,
        operator: bytes,
        deadline: int,
        nonce: int | None = None,
    ) -> SignedRequest:
        """Return a signed request.

        Args:
            model: whose answer is wanted, or its id.
            data: the canonical input bytes.
            operator: who is asked, 20 bytes.
            deadline: Unix seconds; the latest commit that is accepted.
            nonce: never used for this operator in the network before; None: a random one.
        """
        if type(data) is not bytes:
            raise FieldError("input", f"of type {type(data).__name__}", "bytes")
        key = model.id if isinstance(model, Model) else model
        number = secrets.randbits(64) if nonce is None else nonce
        request = Request(key, operator, keccak256(data), self._signer.address, number, deadline)
        domain = self._registry.domain
        signature = self._signer.sign(domain, request.struct_hash())
        request.check(domain, signature)
        return SignedRequest(request, data, signature)

    def ask(
        self, model: Model | bytes, inputs: Iterable[bytes], *, within: int | None = None
    ) -> list[OperatorAnswer]:
        """Sign requests, ask the operator, and return its answers in the order of the inputs.

        Args:
            model: whose answers are wanted, or its id.
            inputs: canonical input bytes of each.
            within: seconds in which the answers must be committed; None: the middle between what
                the operator needs and what the network allows.

        Raises:
            OperatorError: the operator refuses, or does not answer.
            AnswerError: what it says does not hold.
        """
        if isinstance(inputs, bytes | str):
            raise FieldError("inputs", f"one {type(inputs).__name__}", "a list of bytes")
        said = self.about()
        operator = from_hex(said.operator)
        deadline = said.now + (said.usual_within if within is None else within)
        signed = [self.sign(model, data, operator=operator, deadline=deadline) for data in inputs]
        answers: list[OperatorAnswer] = []
        for start in range(0, len(signed), said.max_inferences):
            answers += self.send(signed[start : start + said.max_inferences])
        return answers

    def send(self, asked: Sequence[SignedRequest]) -> list[OperatorAnswer]:
        """Send signed requests of one model and operator, and return the answers in their order.

        The same requests again get the same answers, so that whoever keeps them may ask again.

        Raises:
            OperatorError: the operator refuses, or does not answer.
            AnswerError: what it says does not hold.
        """
        if not asked:
            return []
        model_id, operator = asked[0].request.model_id, asked[0].request.operator
        body = AskedInferences(model_id=to_hex(model_id), inferences=[_asked(one) for one in asked])
        said = self._node.post("/inferences", body, AnsweredInferences)
        outputs = [from_hex(one.output) for one in said.answers]
        word = Acknowledgement(
            from_hex(said.network_id),
            from_hex(said.operator),
            from_hex(said.key),
            said.time,
            tuple(from_hex(one.request) for one in said.answers),
            tuple(keccak256(output) for output in outputs),
        )
        if word.requests != tuple(one.id for one in asked):
            raise AnswerError("the answers are not to the requests that were sent")
        if word.operator != operator:
            raise AnswerError(
                f"the answers are {said.operator}'s; the requests are to {checksummed(operator)}"
            )
        signature = from_hex(said.signature)
        block = self._confirm(word, signature, model_id)
        return [
            OperatorAnswer(one, output, word, signature, block)
            for one, output in zip(asked, outputs, strict=True)
        ]

    def receipts(self, answers: Sequence[OperatorAnswer]) -> list[Receipt | None]:
        """Return the receipts of answers, checked against the chain; None: not committed yet.

        Raises:
            OperatorError: the operator does not answer.
            AnswerError: it knows no such request, has missed its deadline, or gives a receipt that
                does not hold, or is of another request or output.
        """
        places = NodeReceipts(self._node, self._registry, self._ledger)
        given = places.get([one.asked.id for one in answers])
        return [_receipt(answer, one) for answer, one in zip(answers, given, strict=True)]

    def wait(
        self, answers: Sequence[OperatorAnswer], timeout: float | None = None, poll: float = _POLL
    ) -> list[Receipt]:
        """Wait until all answers are committed, and return their receipts, each checked.

        Args:
            answers: as `ask` returned them.
            timeout: seconds; None: until the last deadline is missed.
            poll: seconds between two looks.

        Raises:
            WaitError: the time is over.
            AnswerError: see receipts.
            OperatorError: the operator does not answer.
        """
        end = None if timeout is None else time.monotonic() + timeout
        found: dict[int, Receipt] = {}
        while True:
            missing = [place for place in range(len(answers)) if place not in found]
            for place, receipt in zip(
                missing, self.receipts([answers[place] for place in missing]), strict=True
            ):
                if receipt is not None:
                    found[place] = receipt
            if len(found) == len(answers):
                return [found[place] for place in range(len(answers))]
            left = poll if end is None else min(poll, end - time.monotonic())
            if left <= 0:
                lacking = len(answers) - len(found)
                raise WaitError(
                    f"{lacking} of {len(answers)} receipts are not here after {timeout} s"
                )
            time.sleep(left)

    def _confirm(self, word: Acknowledgement, signature: bytes, model_id: bytes) -> int:
        """Return the block at which the registry bears an acknowledgement out."""
        registry = self._registry
        block = registry.w3.eth.block_number
        try:
            word.check(registry.domain, signature)
            word.confirm(registry.key(word.operator, block), block)
            registry.read("modelTerms", word.network_id, model_id, block=block)
        except (SignatureError, ContractError) as error:
            raise AnswerError(f"the acknowledgement does not hold: {error}") from error
        return block


def _receipt(answer: OperatorAnswer, given: Receipt | NoReceipt) -> Receipt | None:
    """Return an answer's receipt; None: not committed yet."""
    if isinstance(given, NoReceipt):
        if given is NoReceipt.PENDING:
            return None
        raise AnswerError(f"request {to_hex(answer.asked.id)} {given}")
    if given.opening.inference.output_hash != keccak256(answer.output):
        raise AnswerError("the receipt is of another output than was acknowledged")
    return given


def _asked(one: SignedRequest) -> AskedInference:
    return AskedInference(
        requester=to_hex(one.request.requester),
        nonce=one.request.nonce,
        deadline=one.request.deadline,
        input=to_hex(one.input),
        signature=to_hex(one.signature),
    )
