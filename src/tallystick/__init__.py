"""Verified inference per network: a registry on EVM chains, and what one does with it from Python.

>>> record = InferenceRecord(input=b"2+2", output=b"4")

`connect` is the way in; docs/python.md shows the rest. What is named here, with every class of
tallystick.errors, is the public API. It is loaded when it is first used, so that the import itself
costs nothing. Bytes inside, hex text only at the edges; amounts are integers in units of the
network's asset (wei for the native coin), times Unix seconds, windows seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tallystick.api.batch import BatchHandle as BatchHandle
    from tallystick.api.committee import CommitteeHandle as CommitteeHandle
    from tallystick.api.connection import connect as connect
    from tallystick.api.connection import deploy as deploy
    from tallystick.api.network import NetworkHandle as NetworkHandle
    from tallystick.api.pool import PoolHandle as PoolHandle
    from tallystick.api.registry import RegistryHandle as RegistryHandle
    from tallystick.chain.committee import CommitteeTerms as CommitteeTerms
    from tallystick.chain.pool import PoolTerms as PoolTerms
    from tallystick.chain.receipt_status import ReceiptStatus as ReceiptStatus
    from tallystick.client.requester import OperatorAnswer as OperatorAnswer
    from tallystick.client.requester import Requester as Requester
    from tallystick.errors import *  # noqa: F403
    from tallystick.protocol.enums import Cause as Cause
    from tallystick.protocol.enums import Grade as Grade
    from tallystick.protocol.enums import Outcome as Outcome
    from tallystick.protocol.enums import Ruling as Ruling
    from tallystick.protocol.enums import State as State
    from tallystick.protocol.ledger import BatchState as BatchState
    from tallystick.protocol.ledger import Model as Model
    from tallystick.protocol.panel_statement import PanelStatement as PanelStatement
    from tallystick.protocol.receipt import Receipt as Receipt
    from tallystick.protocol.record import InferenceRecord as InferenceRecord
    from tallystick.protocol.rules import Rules as Rules
    from tallystick.protocol.statement import Statement as Statement
    from tallystick.protocol.totals import Totals as Totals

__version__ = "0.1.0"

_HOMES = {
    "api.batch": ["BatchHandle"],
    "api.committee": ["CommitteeHandle"],
    "api.connection": ["connect", "deploy"],
    "api.network": ["NetworkHandle"],
    "api.pool": ["PoolHandle"],
    "api.registry": ["RegistryHandle"],
    "chain.committee": ["CommitteeTerms"],
    "chain.pool": ["PoolTerms"],
    "chain.receipt_status": ["ReceiptStatus"],
    "client.requester": ["OperatorAnswer", "Requester"],
    "protocol.enums": ["Cause", "Grade", "Outcome", "Ruling", "State"],
    "protocol.ledger": ["BatchState", "Model"],
    "protocol.panel_statement": ["PanelStatement"],
    "protocol.receipt": ["Receipt"],
    "protocol.record": ["InferenceRecord"],
    "protocol.rules": ["Rules"],
    "protocol.statement": ["Statement"],
    "protocol.totals": ["Totals"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


# Hidden from type checkers, to which every name would be one of the package.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        home = "errors" if name.endswith("Error") else _HOME_OF.get(name)
        if home is not None:
            module = import_module(f"{__name__}.{home}")
            if hasattr(module, name):
                globals()[name] = getattr(module, name)
                return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    errors = import_module(f"{__name__}.errors")
    return sorted({*globals(), *_HOME_OF, *(name for name in vars(errors) if "Error" in name)})
