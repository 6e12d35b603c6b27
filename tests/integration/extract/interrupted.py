"""What is run in a process of its own, to be killed."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tallystick.data.decode import files
from tallystick.data.decode.files import decode_logs
from tallystick.data.extract import extractor
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import ExtractPlan, extract

STEPS = {"open", "os.rename", "os.remove", "os.mkdir"}


def work(
    folder: Path, plan: ExtractPlan, lower: ExtractPlan, registry: ContractKey, die_at: int | None
) -> None:
    """Extract up to a lower head, then up to the head, and decode after each.

    Args:
        folder: the data folder.
        plan: to the head.
        lower: to the lower head.
        registry: the contract extracted.
        die_at: kill this process before its so many-th step on the folder's files; None: never.
    """
    extractor.NOTE_EVERY = files.NOTE_EVERY = 0.02
    if die_at is not None:
        sys.addaudithook(Death(folder, die_at))
    for one in (lower, plan):
        extract(Dataset(folder), one)
        decode_logs(Dataset(folder), registry)


class Death:
    """An audit hook that kills this process before its so many-th step on a folder's files."""

    def __init__(self, folder: Path, die_at: int) -> None:
        self._folder, self._left = str(folder), die_at

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event in STEPS and str(args[0]).startswith(self._folder):
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
