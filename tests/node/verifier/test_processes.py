"""Three verifiers as real processes: Silverback, Ape's accounts, a chain, and things that fail."""

from tallystick.enums import Cause, Grade, State
from tests.node.verifier.running import running, until
from tests.node.verifier.stage import VERIFIERS, Stage


def test_processes__honest_batch__audited(staged: Stage):
    with running(staged, VERIFIERS) as nodes:
        batch = staged.commit(60)
        staged.seeded()
        until(lambda: staged.record(batch).grade is Grade.AUDITED, 60, "audited", *nodes)
