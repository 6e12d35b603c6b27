"""Golden vectors of LLM-1: files that other means than the library computed."""

import json
from typing import Any

import numpy as np
import pytest

from tallystick.errors import BodyRefusedError, FieldError
from tallystick.llm.body import read_body
from tallystick.llm.ending import AnswerText, shown_text
from tallystick.llm.margins import Measured, margin
from tallystick.llm.noise import exact_gumbel, gumbel, log_floor, noise, noise_words
from tallystick.llm.output import Finish, Output, hash_tokens
from tallystick.llm.prompt import PromptBuilder
from tallystick.llm.request_header import RequestHeader
from tallystick.llm.sampler import Sampling, candidates, choose, fixed_logits
from tallystick.llm.seed import answer_seed
from tallystick.llm.spec import Spec
from tallystick.llm.structure import Asked, structural_fault
from tallystick.llm.template import Template
from tallystick.llm.verdicts import Judged, Mean, Thresholds, judge_answer, judge_batch
from tallystick.protocol.acknowledgement import Acknowledgement
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.keccak import keccak256
from tests.unit.llm.independent.__main__ import FOLDER, vectors, written
from tests.unit.llm.vocabularies import SmallVocabulary

FILES = sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def named(name: str, key: str | None = None) -> Any:
    found = read(name)[key] if key else read(name)
    return pytest.mark.parametrize("vector", found, ids=[one["name"] for one in found])


def test_files__computed_anew__are_the_same() -> None:
    found = vectors()

    assert sorted(found) == FILES
    for name, content in found.items():
        assert (FOLDER / f"{name}.json").read_text() == written(content), name


def test_design__its_values__are_in_the_files() -> None:
    noise_file = read("noise")
    gs = dict(map(tuple, noise_file["G"]))
    first = [(one["x"], one["G"]) for one in noise_file["words"][:4]]

    assert noise_file["seeds"][0]["seed"] == (
        "e978f7b249b145f89712ae76ea71493314e7927d0aff66b357684ad50a367aba"
    )
    assert first[:2] + first[3:] == [
        (0x2CD464CB, -582180),
        (0x94907DE3, 638073),
        (0xE7EF0885, 2427882),
    ]
    assert (gs[0], gs[2**31], gs[2**32 - 2], gs[2**32 - 1]) == (
        -3282037,
        384317,
        22832999,
        23984977,
    )
    assert [noise_file["L"][p - 1] for p in (1, 50, 999, 1000)] == [-7243306, -3141253, -1049, 0]
    assert read("answers")["hi"] == (
        "6513c280f33550e38eb972a35c833ae1ae426c8d08f3de574f726abaf9f50b80"
    )


@named("bodies")
def test_read_body__vector__is_read_or_refused(vector: dict[str, Any]) -> None:
    body = bytes.fromhex(vector["bodyHex"]) if "bodyHex" in vector else vector["body"].encode()

    if "refused" in vector:
        with pytest.raises(BodyRefusedError) as caught:
            read_body(body)
        assert caught.value.param == vector["refused"]
        assert "\n" not in str(caught.value)
        return
    fields = read_body(body)
    messages = fields.messages
    assert vector["fields"] == {
        "messages": messages and [[one.role, one.content] for one in messages],
        "prompt": fields.prompt,
        "maxTokens": fields.max_tokens,
        "t": fields.temperature,
        "p": fields.min_p,
        "stops": [stop.hex() for stop in fields.stops],
        "stream": fields.stream,
        "usage": fields.include_usage,
    }


@named("prompts", "prompts")
def test_build__vector__gives_its_ids(vector: dict[str, Any]) -> None:
    file = read("prompts")
    vocabulary = SmallVocabulary(file["tokens"], file["bos"], vector["addBos"], file["eos"])
    template = Template(vector["template"], *(vocabulary.spelling(token) for token in (1, 2)))
    builder = PromptBuilder(vocabulary, template.render, file["context"])
    fields = read_body(vector["body"].encode())

    if "refused" in vector:
        with pytest.raises(BodyRefusedError) as caught:
            builder.build(fields)
        assert caught.value.param == vector["refused"]
        return
    assert list(builder.build(fields)) == vector["ids"]


@pytest.mark.parametrize("vector", read("noise")["seeds"])
def test_answer_seed__vector__is_it(vector: dict[str, Any]) -> None:
    seed = answer_seed(
        bytes.fromhex(vector["modelId"]),
        bytes.fromhex(vector["inputHash"]),
        bytes.fromhex(vector["requester"]),
        vector["nonce"],
    )

    assert seed.hex() == vector["seed"]


@pytest.mark.parametrize("vector", read("noise")["words"])
def test_noise__vector__is_it(vector: dict[str, Any]) -> None:
    asked = bytes.fromhex(vector["seed"]), vector["step"], np.array([vector["token"]])

    assert noise_words(*asked).tolist() == [vector["x"]]
    assert noise(*asked).tolist() == [vector["G"]]


def test_gumbel__edges_and_words_nearest_to_halves__are_correctly_rounded() -> None:
    words, expected = zip(*read("noise")["G"], strict=True)

    assert gumbel(np.array(words, np.uint32)).tolist() == list(expected)
    assert [exact_gumbel(word) for word in words] == list(expected)


@pytest.mark.parametrize("error", [1e-14, -1e-14])
def test_gumbel__machine_whose_logarithm_errs__is_correctly_rounded(
    error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, expected = zip(*read("noise")["G"], strict=True)
    real = np.log
    monkeypatch.setattr("tallystick.llm.noise.np.log", lambda x: real(x) * (1 + error))

    assert gumbel(np.array(words, np.uint32)).tolist() == list(expected)


def test_log_floor__each_p__is_it() -> None:
    assert [log_floor(p) for p in range(1, 1001)] == read("noise")["L"]


def _logit(text: str) -> float:
    over, _, under = text.partition("/")
    return float(over) / float(under or 1)


@named("tokens")
def test_choose_and_margin__vector__give_its_integers(vector: dict[str, Any]) -> None:
    logits = [_logit(text) for text in vector["logits"]]
    sampling = Sampling(bytes.fromhex(vector["seed"]), vector["t"], vector["p"])
    step = vector["step"]

    assert fixed_logits(logits).tolist() == vector["Z"]
    assert candidates(fixed_logits(logits), sampling, step).floor == vector["F"]
    assert choose(logits, sampling, step) == vector["token"]
    margins = [margin(logits, token, sampling, step) for token in range(len(logits))]
    assert margins == vector["margins"]


@named("answers", "answers")
def test_answer_text__vector__ends_with_its_output(vector: dict[str, Any]) -> None:
    file = read("answers")
    pieces = [bytes.fromhex(piece) for piece in file["pieces"]]
    stops = [bytes.fromhex(stop) for stop in vector["stops"]]
    text = AnswerText(pieces.__getitem__, file["ends"], stops, vector["limit"])
    shown = ""

    for token in vector["ids"][: vector["count"]]:
        assert text.finish is None
        text.add(token)
        shown += text.delta()

    assert text.finish == vector["finish"]
    assert text.text() == shown == vector["text"]
    output = Output(
        Finish(vector["finish"]),
        len(file["prompt"]),
        hash_tokens(file["prompt"]),
        tuple(vector["ids"][: vector["count"]]),
        keccak256(text.text().encode()),
    )
    assert output.encode().hex() == vector["output"]
    assert keccak256(output.encode()).hex() == vector["outputHash"]
    assert Output.decode(bytes.fromhex(vector["output"])) == output
    asked = Asked(
        file["prompt"], vector["limit"], stops, len(pieces), file["ends"], pieces.__getitem__
    )
    assert structural_fault(output, asked) is None


@pytest.mark.parametrize(("data", "text"), read("answers")["texts"])
def test_shown_text__ill_formed__has_a_mark_for_each_maximal_subpart(data: str, text: str) -> None:
    assert shown_text(bytes.fromhex(data)) == text


def _thresholds() -> Thresholds:
    a1, b1, a2, b2, x1, x2 = read("verdicts")["thresholds"]
    return Thresholds(Mean(a1, b1), Mean(a2, b2), x1, x2)


@pytest.mark.parametrize("vector", read("verdicts")["answers"])
def test_judge_answer__at_each_bound__is_the_vectors(vector: dict[str, Any]) -> None:
    measured = Measured(vector["tokens"], vector["total"], vector["largest"])

    assert judge_answer(measured, _thresholds()).value == vector["verdict"]


@pytest.mark.parametrize("vector", read("verdicts")["batches"])
def test_judge_batch__at_each_bound__is_the_vectors(vector: dict[str, Any]) -> None:
    measured = [Measured(*leaf) for leaf in vector["leaves"]]
    drawn = [Judged(judge_answer(one, _thresholds()), one) for one in measured]

    assert judge_batch(drawn, _thresholds()).value == vector["verdict"]


@pytest.mark.parametrize("vector", read("specs")["specs"])
def test_spec__vector__is_read_and_written(vector: dict[str, Any]) -> None:
    spec = Spec.parse(vector["text"])

    assert spec.text() == vector["text"]
    assert spec.spec_hash().hex() == vector["specHash"]


@named("specs", "refused")
def test_spec_parse__another_text__is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        Spec.parse(vector["text"])


def test_request_header__vector__is_what_the_requester_signed() -> None:
    vector = read("requests")
    domain = Domain(vector["chainId"], from_hex(vector["registry"]))
    operator = from_hex(vector["operator"])

    header = RequestHeader.decode(vector["header"])
    request = header.request(operator, keccak256(vector["body"].encode()))

    assert header.encode() == vector["header"]
    assert header.model_id.hex() == vector["modelId"]
    assert header.requester == from_hex(vector["requester"])
    assert (header.nonce, header.deadline) == (vector["nonce"], vector["deadline"])
    assert request.struct_hash().hex() == vector["hashStruct"]
    request.check(domain, header.signature)


def test_acknowledgement__vector__is_what_the_operator_signed() -> None:
    vector = read("requests")
    said = vector["acknowledgement"]
    operator = from_hex(vector["operator"])

    word = Acknowledgement(
        bytes.fromhex(said["networkId"]),
        operator,
        operator,
        said["time"],
        (bytes.fromhex(vector["hashStruct"]),),
        (bytes.fromhex(said["outputHash"]),),
    )

    assert word.struct_hash().hex() == said["hashStruct"]
    domain = Domain(vector["chainId"], from_hex(vector["registry"]))
    word.check(domain, bytes.fromhex(said["signature"]))
