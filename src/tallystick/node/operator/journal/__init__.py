"""An operator's journal: an SQLite file, written before anything is said or sent.

    accepted    the nonce is taken; no answer was given yet
    answered    the answer is kept; only then it is given
    in a batch  the batch and its data are kept; only then it is sent
    committed   the chain has the batch, where and in which transaction
    pruned      nobody can ask for inputs and outputs any more; hashes and signatures stay

A process that dies leaves accepted requests behind that nobody has an answer to: whoever takes its
place releases them. Everything else is carried on from where it stands.
"""

from tallystick.node.operator.journal.entries import (
    Accepted,
    Answered,
    InferencePlace,
    PendingBatch,
    StoredRequest,
    Waiting,
)
from tallystick.node.operator.journal.journal import OperatorJournal

__all__ = [
    "Accepted",
    "Answered",
    "OperatorJournal",
    "StoredRequest",
    "PendingBatch",
    "InferencePlace",
    "Waiting",
]
