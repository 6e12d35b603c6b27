"""Progress on stderr, with rate and time left; nothing where stderr is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from tallystick.protocol.progress import Progress


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def bar(name: str) -> Iterator[Progress]:
    """Yield what work tells its progress to.

    Args:
        name: of the work and its unit, such as "extract (blocks)".
    """
    with stages() as stage:
        yield stage(name)


@contextmanager
def stages() -> Iterator[Callable[[str], Progress]]:
    """Yield what gives each stage of some work a line of its own, by its name and unit."""
    described = TextColumn("{task.description}")
    columns = (described, BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    console = Console(stderr=True)
    # Else it writes an empty line where nobody watches.
    unseen = not console.is_terminal
    with Bars(*columns, console=console, transient=True, disable=unseen) as bars:

        def stage(name: str) -> Progress:
            task = bars.add_task(name, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield stage
