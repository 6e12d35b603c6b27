"""The whole journal of a lane."""

from tallystick.node.operator.journal.batches import Batches
from tallystick.node.operator.journal.pruning import Pruning
from tallystick.node.operator.journal.requests import Requests


class OperatorJournal(Requests, Batches, Pruning):
    """The journal of one lane; several processes may share the file. As LaneFile is opened."""
