"""A network with a language model, its operators, and the committee that audits it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tallystick.llm.spec import Spec
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.storage.models.content import content_hash
from tests.llm.model_file import SMOLLM2_FILE
from tests.llm.verifier.answers import Answering, body
from tests.node.verifier.stage import OPERATOR, Stage, stage
from tests.support.chain import Chain
from tests.support.story import Committed


@dataclass
class LlmStage(Stage):
    """Operators answer bodies; whatever they answer is committed."""

    def answer(
        self, answering: Answering, count: int, operator: int = OPERATOR, first: int = 0
    ) -> Committed:
        """Commit an operator's answers to fixed bodies, unasked."""
        leaves = self.blank(count, operator)
        bodies = [body(first + number) for number in range(count)]
        return self.put(leaves, bodies, answering)

    def put(self, leaves: list[Any], bodies: list[bytes], answering: Answering) -> Committed:
        """Commit answers to bodies as these leaves."""
        asked = [
            replace(one, input_hash=keccak256(b)) for one, b in zip(leaves, bodies, strict=True)
        ]
        outputs = [
            answering(
                data,
                Request(
                    one.model_id,
                    one.operator,
                    one.input_hash,
                    one.requester,
                    one.nonce,
                    one.deadline,
                ),
            )
            for one, data in zip(asked, bodies, strict=True)
        ]
        done = [
            replace(one, output_hash=keccak256(output))
            for one, output in zip(asked, outputs, strict=True)
        ]
        return self.commit_leaves(done, bodies, outputs)


def llm_stage(
    chain: Chain, folder: Path, spec: Spec, threshold: int = 2, file: Path = SMOLLM2_FILE
) -> LlmStage:
    """Found a network as of `stage`, with a model, SmolLM2 unless named, under a spec."""
    plain = stage(chain, folder, threshold, max_bytes=4096)
    text = folder / "spec.txt"
    text.write_text(spec.text())
    mined = chain.send(
        chain.accounts[1],
        "registerModel",
        plain.network.id,
        content_hash(file),
        spec.spec_hash(),
        ZERO32,
        "SmolLM2",
        "",
    )
    plain.network.model_id = mined.event(ModelRegistered).model_id
    source = {"file": str(file), "runner": "llm", "spec": str(text)}
    return LlmStage(
        *(chain, plain.committee, plain.judges, plain.network, plain.store, folder), source=source
    )
