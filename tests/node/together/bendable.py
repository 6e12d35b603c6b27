"""The two models that are served, and what bends them.

    qi8     the digits classifier in integers: an arbiter on chain runs it again
    digits  the float one, whose disputes a committee judges

An operator's settings name `bendable:bent_qi8` or `bendable:bent_digits` as the runner of the same
file: the answer to every hundredth sample is another one then. So nodes import this too, for which
only the package and this folder are there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tallystick.demo.digits import model as digits
from tallystick.demo.digits import quantized
from tallystick.node.runner import Runner, load
from tallystick.replay.model import SPEC_ID

BENT_EVERY = 100


@dataclass(frozen=True)
class Served:
    """A model as it is registered and run."""

    name: str
    file: Path
    runner: str
    content_hash: bytes
    spec_hash: bytes
    samples: list[bytes]
    bend: Callable[[bytes], bytes]
    """Makes another canonical output of an output."""

    @property
    def bent_runner(self) -> str:
        return f"{Path(__file__).stem}:bent_{self.name}"

    @property
    def bent(self) -> set[bytes]:
        """The inputs that a bent runner answers wrongly."""
        return set(self.samples[::BENT_EVERY])

    @property
    def honest(self) -> Runner:
        return load(self.runner, self.file)


@cache
def qi8() -> Served:
    model = quantized.load()
    return Served(
        "qi8",
        quantized.FILE,
        "qi8",
        model.content_hash(),
        SPEC_ID,
        _distinct(quantized.load_samples(model)),
        lambda output: output[1:] + output[:1],
    )


@cache
def plain() -> Served:
    return Served(
        "digits",
        digits.FILE,
        digits.RUNNER,
        digits.content_hash(),
        digits.spec_hash(),
        _distinct(digits.load_samples()),
        lambda output: bytes([(output[0] + 1) % 10]),
    )


def bent_qi8(inputs: Sequence[bytes]) -> list[bytes]:
    return _run_bent(qi8(), inputs)


def bent_digits(inputs: Sequence[bytes]) -> list[bytes]:
    return _run_bent(plain(), inputs)


def _run_bent(served: Served, inputs: Sequence[bytes]) -> list[bytes]:
    outputs, bent = _loaded(served.name).infer(inputs), served.bent
    return [
        served.bend(output) if data in bent else output
        for data, output in zip(inputs, outputs, strict=True)
    ]


@cache
def _loaded(name: str) -> Runner:
    return {"qi8": qi8, "digits": plain}[name]().honest


def _distinct(samples: Sequence[bytes]) -> list[bytes]:
    return list(dict.fromkeys(samples))
