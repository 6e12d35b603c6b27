"""Verdicts on claimed answers; a wrong one needs two kernels that agree with each other."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tallystick.errors import ModelRefusedError
from tallystick.models.apart import SECOND, Kernel, run_apart
from tallystick.models.comparison import Comparison
from tallystick.models.graph import Graph, load
from tallystick.models.integer import not_integer
from tallystick.models.spec import OnnxSpec
from tallystick.protocol.verdicts import Judged, Verdict

Compare = Callable[[bytes, bytes], Judged]
"""Returns the verdict on a claimed output beside one's own."""


class SecondOpinion:
    """Judges by one comparison under two kernels.

    Args:
        file: the graph's.
        graph: as read, with the sizes of the model's spec.
        compare: of the model's spec.
        second: the other kernel, or another build.
    """

    def __init__(self, file: Path, graph: Graph, compare: Compare, second: Kernel = SECOND) -> None:
        self._file, self._graph = file, graph
        self._compare, self._second = compare, second

    def judge(
        self, inputs: Sequence[bytes], claimed: Sequence[bytes], own: Sequence[bytes]
    ) -> list[Judged]:
        """Return the verdicts on claimed outputs.

        One is wrong where both own outputs say so and are good beside each other: nobody is
        convicted for an input on which kernels part.

        Args:
            inputs: canonical, that the model takes.
            claimed: output of each, as committed.
            own: output of each, by the first kernel.

        Raises:
            RunnerError: the second kernel could not be run.
        """
        found = [self._compare(*pair) for pair in zip(claimed, own, strict=True)]
        places = [place for place, one in enumerate(found) if one.verdict is Verdict.WRONG]
        if not places:
            return found
        again = [inputs[place] for place in places]
        others = run_apart(self._file, self._graph, again, self._second).outputs
        for place, other in zip(places, others, strict=True):
            if self._compare(other, own[place]).verdict is not Verdict.GOOD:
                found[place] = found[place].doubted("two kernels differ from each other")
            elif self._compare(claimed[place], other).verdict is not Verdict.WRONG:
                found[place] = found[place].doubted("another kernel does not find it wrong")
        return found


def comparison_of(file: Path, graph: Graph, spec: OnnxSpec) -> Comparison:
    """Return the comparison of a model and its spec.

    Raises:
        SpecError: the spec is of another graph.
        ModelRefusedError: the spec compares bytes, and the graph is not shown to be integer.
        OSError: the file cannot be read.
    """
    if spec.exact and (reason := not_integer(load(file))):
        raise ModelRefusedError(
            reason.partition(":")[0],
            f"{reason.partition(': ')[2]}, so that bytes can differ between machines; needed: a "
            "spec with a tolerance (tallystick model calibrate)",
        )
    return Comparison(graph, spec)
