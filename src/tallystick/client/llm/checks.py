"""Checks of an answer: text, usage, finish and id against its output, and the operator's word."""

from tallystick.chain.registry import Registry
from tallystick.client.llm.reading import ReadAnswer
from tallystick.errors import AnswerError, ContractError, SignatureError
from tallystick.llm.output import Output
from tallystick.llm.wire import FINISHES, answer_id, usage_of
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256


def check_text(output: Output, text: str) -> None:
    """Raise AnswerError unless a text is the one that an output has the hash of."""
    try:
        found = keccak256(text.encode())
    except UnicodeEncodeError as error:
        raise AnswerError("text: it holds a lone surrogate") from error
    if found != output.text_hash:
        raise AnswerError(
            f"text: it hashes to {to_hex(found)}; the output says {to_hex(output.text_hash)}"
        )


def check_answer(answer: ReadAnswer, request: Request, chat: bool) -> Output:
    """Return the output of an answer all of whose parts fit together.

    Args:
        answer: as it was said.
        request: that it should answer.
        chat: it has messages.

    Raises:
        AnswerError: the first part that does not fit, by its name.
    """
    output = Output.decode(from_hex(answer.word.output))
    check_text(output, answer.text)
    if answer.finish != FINISHES[output.finish]:
        raise AnswerError(
            f"finish_reason: it is {answer.finish}; the output says {FINISHES[output.finish]}"
        )
    usage = usage_of(output)
    if answer.usage is not None and answer.usage.model_dump() != usage:
        raise AnswerError(f"usage: it is not the output's {usage}")
    needed = answer_id(request.struct_hash(), chat)
    if answer.id != needed:
        raise AnswerError(f"id: it is not {needed}")
    return output


class WordChecks:
    """Checks of operators' words against a registry; any number of threads may use it.

    Args:
        registry: whose networks the operators work in.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.domain = registry.domain
        self._known: set[tuple[bytes, bytes]] = set()

    def confirm(
        self, network_id: bytes, request: Request, output: bytes, time: int, signature: bytes
    ) -> tuple[Acknowledgement, int]:
        """Return the acknowledgement that a signature is of, and the block that bears it out.

        The signer is the operator, or the key that the registry has for it at that block.

        Args:
            network_id: 32 bytes, as the operator says.
            request: that was answered.
            output: bytes.
            time: as the operator says, Unix seconds.
            signature: 65 bytes.

        Raises:
            AnswerError: nobody who speaks for the operator signed this, or the model is of another
                network.
        """
        registry, operator = self._registry, request.operator
        block = registry.w3.eth.block_number
        keys = {operator, registry.key(operator, block)} - {ZERO_ADDRESS}
        for key in keys:
            word = Acknowledgement(
                network_id, operator, key, time, (request.struct_hash(),), (keccak256(output),)
            )
            try:
                word.check(self.domain, signature)
            except SignatureError:
                continue
            self._check_model(network_id, request.model_id, block)
            return word, block
        raise AnswerError(
            f"signature: operator {checksummed(operator)} did not sign the answer, nor did the key "
            f"that it has at block {block}"
        )

    def _check_model(self, network_id: bytes, model_id: bytes, block: int) -> None:
        if (network_id, model_id) in self._known:
            return
        try:
            self._registry.read("modelTerms", network_id, model_id, block=block)
        except ContractError as error:
            raise AnswerError(f"network: the model is not of it: {error}") from error
        self._known.add((network_id, model_id))
