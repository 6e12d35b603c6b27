"""Print what honest answers and cheats' measure: `python -m tests.bench.llm_cheats`.

ANSWERS (default 8) of 64 tokens at temperature 0.8 each, all from AVX2 kernels, measured by AVX-512
where the machine has it. A cheat counts as caught by an exact spec when one token is not the
rule's, and by the tolerance (the draft's thresholds) when both classes of kernels call it wrong.
JSON=1 gives one object a line. The models are those of tests/llm.
"""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import process_time
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tallystick.demo.language.cheaper import write_quantized
from tallystick.llm.engine.release import Kernel
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.margins import Measured
from tallystick.llm.measuring import Measurement, measure
from tallystick.llm.measuring_process import MeasuringProcess
from tallystick.llm.opening import open_model
from tallystick.llm.output import Output
from tallystick.llm.second_runtime import second_runtime
from tallystick.llm.spec import Spec
from tallystick.llm.verdicts import DRAFT, Judged, judge_answer, judge_batch, judge_twice
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import Tree
from tallystick.protocol.opening import Opening
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.verdicts import Verdict
from tests.bench.figures import Figure, tell
from tests.llm.model_file import SMOLLM2_FILE
from tests.llm.verifier.answers import (
    Answer,
    Answering,
    another_seed,
    answers,
    edited,
    honest,
    hotter,
    shorter_prompt,
)

TOKENS = 64
SPEC = Spec(context=512, tokens=TOKENS, comparison=DRAFT)
BATCH = 8
"""Answers whose pooled verdict is taken."""
SLOTS = 8
RECEIPTS = 2_000


class Found(NamedTuple):
    """What the answers of one operator measure."""

    who: str
    verdicts: Counter[Verdict]
    pooled: Measured
    mismatches: int
    batches: Counter[Verdict]
    caught: int
    """By an exact spec."""

    @property
    def answers(self) -> int:
        """Answers that were measured."""
        return self.verdicts.total()

    def row(self) -> tuple[str, ...]:
        """The row for people."""
        verdicts = " / ".join(str(self.verdicts[one]) for one in Verdict)
        batches = f"{self.batches[Verdict.GOOD]} of {self.batches.total()}"
        return (
            self.who,
            f"{self.answers}",
            f"{self.mismatches} of {self.pooled.tokens} ({self._share:.1%})",
            f"{self.pooled.mean:.4f}",
            f"{self.pooled.largest_logits:.2f}",
            verdicts,
            batches,
            f"{self.caught} of {self.answers}",
        )

    @property
    def _share(self) -> float:
        return self.mismatches / self.pooled.tokens

    def figures(self) -> Iterator[Figure]:
        """The same as numbers, with what must hold."""
        is_honest, all_of_them = self.who == HONEST, float(self.answers)
        yield Figure(f"{self.who}: answers", self.answers, "answers")
        yield Figure(f"{self.who}: tokens", self.pooled.tokens, "tokens")
        yield Figure(f"{self.who}: not the rule's", self.mismatches, "tokens")
        yield Figure(f"{self.who}: M pooled", self.pooled.mean, "logits")
        yield Figure(f"{self.who}: X", self.pooled.largest_logits, "logits")
        for one in Verdict:
            floor = all_of_them if is_honest and one is Verdict.GOOD else None
            name = f"{self.who}: {one.value}"
            yield Figure(name, self.verdicts[one], "answers", floor=floor)
        good = self.batches[Verdict.GOOD]
        ceiling = None if is_honest else 0.0
        yield Figure(f"{self.who}: batches good", good, "batches", ceiling=ceiling)
        yield Figure(
            f"{self.who}: caught by an exact spec",
            self.caught,
            "answers",
            ceiling=0.0 if is_honest else None,
            floor=None if is_honest else all_of_them,
        )


HONEST = "honest"
Second = Callable[..., Measurement]


def side_by_side(answering: Answering, count: int) -> list[Answer]:
    """Answers to so many requests, several at a time."""
    with ThreadPoolExecutor(SLOTS) as threads:
        parts = threads.map(
            lambda number: answers(answering, 1, first=number, max_tokens=TOKENS), range(count)
        )
        return [one for part in parts for one in part]


def found(who: str, given: Sequence[Answer], model: LanguageModel, second: Second | None) -> Found:
    """Measure answers, by a model and, where there is one, by other kernels first."""
    judged: list[Judged] = []
    mismatches = caught = 0
    for one in given:
        question, tokens = model.put(one.body), Output.decode(one.output).tokens
        asked = question.asked.prompt, tokens, question.sampling(one.request)
        own = measure(model.engine, *asked)
        first = own if second is None else second(*asked)
        verdict = judge_answer(first.measured, DRAFT)
        if verdict is Verdict.WRONG:
            verdict = judge_twice(first.margins, own.margins, DRAFT)
        judged.append(Judged(verdict, first.measured))
        mismatches += first.mismatches
        caught += not own.exact
    batches = [judged[at : at + BATCH] for at in range(0, len(judged), BATCH)]
    return Found(
        who,
        Counter(one.verdict for one in judged),
        Measured.pooled(one.measured for one in judged),
        mismatches,
        Counter(judge_batch(one, DRAFT) for one in batches),
        caught,
    )


def receipts_a_second(one: Answer) -> float:
    """Return how many receipts of answers are made and written a CPU second."""
    hashes = one.request.input_hash, keccak256(one.output)
    start = process_time()
    inferences = [
        Inference(one.request.model_id, bytes(20), bytes(20), number, 2**40, *hashes)
        for number in range(RECEIPTS)
    ]
    tree = Tree.from_leaves([leaf.leaf() for leaf in inferences])
    batch = Batch(bytes(32), bytes(20), 0, one.request.model_id, tree.root, RECEIPTS, 2**40)
    stamp = Stamp(0, 1, committed_at=5, committed_block=2, closes_at=70)
    for index, leaf in enumerate(inferences):
        opening = Opening(leaf, index, tree.proof(index))
        receipt = Receipt.of(31337, bytes(20), batch, stamp, opening, bytes(65), bytes(32))
        json.dumps(receipt.to_json())
    return RECEIPTS / (process_time() - start)


def main() -> None:
    count = int(os.environ.get("ANSWERS", "8"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runtime = second_runtime(SPEC, Kernel.AVX2, "")
        second = None
        if runtime is not None:
            process = MeasuringProcess(SMOLLM2_FILE, SPEC.context, runtime)
            second = stack.enter_context(process).measure
        model = stack.enter_context(open_model(SMOLLM2_FILE, SPEC, slots=SLOTS))
        cheap_file = write_quantized(SMOLLM2_FILE, folder / "SmolLM2.Q4_0.gguf")
        with open_model(cheap_file, SPEC, slots=SLOTS) as cheap:
            cheap_answers = side_by_side(honest(cheap), count)
        given = {
            HONEST: side_by_side(honest(model), count),
            "Q4_0 for Q4_1": cheap_answers,
            "3/4 of the prompt": side_by_side(shorter_prompt(model), count),
            "temperature 1 for .8": side_by_side(hotter(model), count),
            "another seed": side_by_side(another_seed(model), count),
            "one token edited": side_by_side(edited(model), count),
        }
        rows = [found(who, some, model, second) for who, some in given.items()]
    figures = [figure for row in rows for figure in row.figures()]
    figures.append(Figure("receipts", receipts_a_second(given[HONEST][0]), "receipts/s"))
    if os.environ.get("JSON") == "1":
        tell("", figures)
    else:
        show(rows, figures[-1], "AVX2" if runtime is None else f"{runtime.kernel}")
    failed = [
        one.name
        for one in figures
        if (one.floor is not None and one.value < one.floor)
        or (one.ceiling is not None and one.value > one.ceiling)
    ]
    if failed:
        raise SystemExit(f"beyond their bounds: {', '.join(failed)}")


def show(rows: Sequence[Found], receipts: Figure, kernels: str) -> None:
    """Print a table for people."""
    table = Table(
        "operator did",
        "answers",
        "not the rule's",
        "M pooled",
        "X",
        "good / doubtful / wrong",
        f"batches of {BATCH} good",
        "caught exactly",
        title=f"Answers from AVX2, measured by {kernels}",
    )
    for row in rows:
        table.add_row(*row.row())
    Console(width=140).print(table)
    print(f"receipts made and written: {receipts.value:,.0f} a second of one core")


if __name__ == "__main__":
    main()
