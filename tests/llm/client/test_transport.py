"""The openai library over a transport that signs, asks an operator and checks."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

import tallystick
from tallystick.client.llm.kept import KeptAnswer
from tallystick.client.llm.reply import VERIFIED
from tests.llm.nodes.conftest import LlmScene
from tests.support.llm_middleman import Middleman
from tests.support.operator_process import OperatorProcess
from tests.support.story import KEY_OF, REQUESTERS

QUESTION: list[Any] = [{"role": "user", "content": "Tell me a joke about trees."}]
NOWHERE = "http://nowhere.invalid/v1"


def connected(scene: LlmScene) -> tallystick.RegistryHandle:
    return tallystick.connect(
        scene.w3, key=KEY_OF[REQUESTERS[0]], registry=scene.chain.registry.address
    )


def client(scene: LlmScene, *urls: str, **options: Any) -> openai.OpenAI:
    transport = connected(scene).llm_transport(scene.model_id, urls, **options)
    http = httpx.Client(transport=transport)
    return openai.OpenAI(api_key="of no effect", base_url=NOWHERE, http_client=http)


def test_openai_client__with_the_transport__answers_are_checked_and_kept(
    scene: LlmScene, node: OperatorProcess, tmp_path: Path
) -> None:
    with client(scene, node.url, answers=tmp_path) as asking:
        said = asking.chat.completions.create(model="any", messages=QUESTION, max_tokens=12)
        chunks = list(
            asking.chat.completions.create(
                model="any", messages=QUESTION, max_tokens=12, stream=True
            )
        )
    whole = KeptAnswer.read(tmp_path / f"{said.id}.json")
    streamed = KeptAnswer.read(tmp_path / f"{chunks[0].id}.json")
    for kept in (whole, streamed):
        kept.check()
    assert said.choices[0].message.content == whole.answer.text
    text = "".join(one.choices[0].delta.content or "" for one in chunks)
    assert text == streamed.answer.text and whole.request.nonce != streamed.request.nonce


def test_transport__that_waits__answer_says_its_batch(
    scene: LlmScene, node: OperatorProcess, tmp_path: Path
) -> None:
    with client(scene, node.url, answers=tmp_path, wait=120) as asking:
        raw = asking.chat.completions.with_raw_response.create(
            model="any", messages=QUESTION, max_tokens=4
        )
    receipt = KeptAnswer.read(tmp_path / f"{raw.parse().id}.json").receipt
    assert receipt and raw.headers[VERIFIED] == "0x" + receipt.batch_id.hex()


def test_transport__operator_that_lies__error_of_the_library(
    scene: LlmScene, middleman: Middleman, tmp_path: Path
) -> None:
    def alter(said: dict[str, Any]) -> None:
        said["choices"][0]["message"]["content"] += "!"

    middleman.alter = alter
    with (
        client(scene, middleman.url, answers=tmp_path) as asking,
        pytest.raises(openai.APIStatusError, match="text: "),
    ):
        asking.chat.completions.create(model="any", messages=QUESTION, max_tokens=4)
    assert len(middleman.seen) == 1, "nobody is asked for the same lie again"


def test_async_transport__side_by_side__an_answer_each(
    scene: LlmScene, node: OperatorProcess, tmp_path: Path
) -> None:
    async def ask() -> list[str]:
        transport = connected(scene).async_llm_transport(
            scene.model_id, [node.url], answers=tmp_path
        )
        http = httpx.AsyncClient(transport=transport)
        async with openai.AsyncOpenAI(
            api_key="of no effect", base_url=NOWHERE, http_client=http
        ) as asking:
            answers = await asyncio.gather(
                *(
                    asking.chat.completions.create(model="any", messages=QUESTION, max_tokens=8)
                    for _ in range(3)
                )
            )
            stream = await asking.chat.completions.create(
                model="any", messages=QUESTION, max_tokens=8, stream=True
            )
            return [*(one.id for one in answers), [one.id async for one in stream][-1]]

    found = asyncio.run(ask())
    assert len(set(found)) == 4, "the same question side by side is asked under several nonces"
    for key in found:
        KeptAnswer.read(tmp_path / f"{key}.json").check()
