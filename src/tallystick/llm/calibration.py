"""Calibration of a tolerance: answers by kernels of one class, measured by those of another.

What an honest operator's tokens are off by depends on the model, both classes of kernels, and what
is asked; so each figure comes with its counts, and is of what was tried alone.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tallystick.errors import BodyRefusedError, FieldError
from tallystick.llm.generation import Generation
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.margins import LOGIT, Measured
from tallystick.llm.measuring import Measurement
from tallystick.llm.measuring_process import MeasuringProcess
from tallystick.llm.verdicts import Mean, Thresholds, judge_answer
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.verdicts import Verdict

_CONTEXTS = (64, 256, 1024, 4096)
_M1, _M2 = (1.25, 9), (10, 15)
"""Of the mean margin, and of its deviation, as the draft has them to what it was measured by."""
_X1, _X2 = 1.5, 3
"""Of the largest honest margin."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something to be asked."""

    body: Mapping[str, Any]
    """Of the OpenAI API; temperature, min_p and max_tokens are set by the calibration."""
    language: str = "not told"


@dataclass(frozen=True, slots=True)
class Tried:
    """One answer, measured."""

    who: str
    """File that answered, by its name."""
    prompt: int
    """Its number."""
    language: str
    temperature: float
    min_p: float
    context: int
    """Tokens of the prompt."""
    tokens: int
    mismatches: int
    total: int
    """Of min(margin, 1 logit), in units of 1 / (1000 * 2^20) logits."""
    squares: float
    """Of the same, in squared logits."""
    largest: int

    @property
    def measured(self) -> Measured:
        """Sum and largest of the margins, which verdicts go by."""
        return Measured(self.tokens, self.total, self.largest)

    @property
    def key(self) -> tuple[str, int, float, float]:
        """Name of the try among those of a calibration."""
        return self.who, self.prompt, self.temperature, self.min_p


def read_prompts(path: Path) -> list[Prompt]:
    """Return the prompts of a file: a line each, as text, or as JSON of messages or a prompt.

    A JSON object may name its `language`; it goes no further.

    Raises:
        FieldError: a line that begins with { is no object of either, or there is no line.
        OSError: the file cannot be read.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        if not line.lstrip().startswith("{"):
            found.append(Prompt({"messages": [{"role": "user", "content": line.strip()}]}))
            continue
        try:
            body = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FieldError(f"{path}: line {number}", str(error), "JSON") from error
        if ("messages" in body) == ("prompt" in body):
            raise FieldError(f"{path}: line {number}", "neither or both", "messages or prompt")
        language = str(body.pop("language", "not told"))
        found.append(Prompt(body, language))
    if not found:
        raise FieldError(str(path), "empty", "a prompt a line")
    return found


class Calibration:
    """Answers prompts by one runtime, and measures by another.

    Args:
        measuring: the registered model by the verifier's kernels.
        tokens: most of an answer.
    """

    def __init__(self, measuring: MeasuringProcess, tokens: int) -> None:
        self._measuring, self._tokens = measuring, tokens

    def try_one(
        self,
        who: str,
        model: LanguageModel,
        prompts: Sequence[Prompt],
        number: int,
        temperature: float,
        min_p: float,
    ) -> Tried:
        """Have a model answer a prompt, and measure the answer.

        Args:
            who: the answering file's name.
            model: that answers.
            prompts: all of them.
            number: which is asked.
            temperature: 0 to 2.
            min_p: 0 to 1.

        Raises:
            FieldError: the prompt is refused.
            EngineError: a runtime failed.
        """
        prompt = prompts[number]
        asked = {"temperature": temperature, "min_p": min_p, "max_tokens": self._tokens}
        body = json.dumps({**prompt.body, **asked}).encode()
        try:
            question = model.put(body)
        except BodyRefusedError as error:
            raise FieldError(f"prompt {number + 1}", str(error), "one that LLM-1 allows") from error
        # Always the same chance: a calibration that was cut off goes on as if it had not been.
        request = Request(bytes(32), ZERO_ADDRESS, keccak256(body), ZERO_ADDRESS, number, 0)
        sampling = question.sampling(request)
        output = Generation(model.engine, question, sampling, lambda part: None).wait()
        found = self._measuring.measure(question.asked.prompt, output.tokens, sampling)
        return _tried(
            *(who, number, prompt.language, temperature, min_p),
            *(len(question.asked.prompt), found),
        )


def _tried(
    who: str,
    number: int,
    language: str,
    temperature: float,
    min_p: float,
    context: int,
    found: Measurement,
) -> Tried:
    measured = found.measured
    squares = sum((min(one, LOGIT) / LOGIT) ** 2 for one in found.margins)
    return Tried(
        *(who, number, language, temperature, min_p, context, measured.tokens),
        *(found.mismatches, measured.total, squares, measured.largest),
    )


def propose(honest: Iterable[Tried]) -> Thresholds:
    """Return thresholds that stand to honest margins as the draft's stood to what it came from.

    m1 = 1.25 mean + 9 deviation / sqrt(N), m2 = 10 mean + 15 deviation / sqrt(N); x1 and x2 are
    1.5 and 3 times the largest. All rounded up to thousandths, and one at least.

    Raises:
        FieldError: nothing was tried.
    """
    tried = list(honest)
    pooled = Measured.pooled(one.measured for one in tried)
    if not pooled.tokens:
        raise FieldError("answers", "none", "one at least")
    mean = pooled.mean
    squares = sum(one.squares for one in tried) / pooled.tokens
    deviation = math.sqrt(max(0.0, squares - mean * mean))
    largest = pooled.largest_logits
    m1, m2 = (Mean(_up(a * mean), _up(b * deviation)) for a, b in (_M1, _M2))
    return Thresholds(m1, m2, _up(_X1 * largest), _up(_X2 * largest))


def _up(value: float) -> int:
    return max(1, math.ceil(1000 * value))


def tables(tried: Sequence[Tried], thresholds: Thresholds) -> Iterator[dict[str, Any]]:
    """Yield rows of counts: of each file, and of its languages, temperatures and contexts."""
    for who in dict.fromkeys(one.who for one in tried):
        of = [one for one in tried if one.who == who]
        yield _row(who, "all", of, thresholds)
        groups: dict[str, list[Tried]] = {}
        for one in of:
            for name in (
                f"language {one.language}",
                f"temperature {one.temperature:g}, min_p {one.min_p:g}",
                f"prompt of {_context(one.context)} tokens",
            ):
                groups.setdefault(name, []).append(one)
        for name in sorted(groups):
            yield _row(who, name, groups[name], thresholds)


def _context(tokens: int) -> str:
    least = 0
    for most in _CONTEXTS:
        if tokens <= most:
            return f"{least + 1} to {most}"
        least = most
    return f"over {least}"


def _row(who: str, of: str, tried: Sequence[Tried], thresholds: Thresholds) -> dict[str, Any]:
    pooled = Measured.pooled(one.measured for one in tried)
    verdicts = [judge_answer(one.measured, thresholds) for one in tried]
    return {
        "answered_by": who,
        "of": of,
        "answers": len(tried),
        "tokens": pooled.tokens,
        "mismatches": sum(one.mismatches for one in tried),
        "M": pooled.mean,
        "X": pooled.largest_logits,
        **{one.value: verdicts.count(one) for one in Verdict},
    }


class KeptTries:
    """Tries so far, a line of JSON each; a torn last line counts as not tried.

    Args:
        path: the file's; one that begins with another key is begun anew.
        key: what all tries have in common.
    """

    def __init__(self, path: Path, key: Mapping[str, Any]) -> None:
        self._path, self._key = path, json.dumps(key, sort_keys=True)
        self.tried: dict[tuple[str, int, float, float], Tried] = {}
        whole = self._read() if path.exists() else 0
        if not whole:
            path.write_text(self._key + "\n")
        else:
            with path.open("r+b") as file:
                file.truncate(whole)

    def add(self, one: Tried) -> None:
        """Keep a try."""
        self.tried[one.key] = one
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(one)) + "\n")

    def _read(self) -> int:
        """Return the bytes that are whole lines of this calibration."""
        lines = self._path.read_bytes().splitlines(keepends=True)
        if not lines or lines[0] != f"{self._key}\n".encode():
            return 0
        whole = len(lines[0])
        for line in lines[1:]:
            try:
                one = Tried(**json.loads(line))
            except (ValueError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            self.tried[one.key] = one
            whole += len(line)
        return whole
