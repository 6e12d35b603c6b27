"""Exceptions of the package.

TallystickError
├── FieldError (ValueError)        a field is too long, too large or of the wrong length
├── RulesError (ValueError)        rules that the contract would refuse
├── SignatureError (ValueError)    a signature that the contract would refuse
├── ProofError (ValueError)        a proof that does not lead to the root
├── PreImageError (ValueError)     a storage word that is not the one of the pre-image
├── NoContractError (ValueError)   no contract is where one is read
├── NotCoveredError (LookupError)  a ledger of a part is asked about the rest
├── LedgerError (ValueError)       an event that cannot follow the ones before it
│   ├── UnknownEventError (LookupError)
│   ├── UnknownNetworkError         of a network that no event registered
│   └── MissingLogsError            and the registry knows what it names: logs are missing
├── RecordError (ValueError)       wrong lines of a file of inferences
├── ReceiptError (ValueError)      a receipt of which a part fails
├── ReceiptsError (ValueError)     a file of receipts with a line that is none, or not good
├── StoreError (OSError)           batch data that cannot be kept or read
│   ├── StoreUnreachableError (ConnectionError)   nothing is known of the data
│   ├── BatchMissingError (FileNotFoundError)
│   │   └── BatchPrunedError
│   └── BatchCorruptError (ValueError)
├── RunnerError (RuntimeError)     a model's runner that cannot be loaded, or that broke down
├── ModelRefusedError (ValueError) a model whose answers nobody could judge
├── InputRefusedError (ValueError) an input that the model's spec does not allow
│   └── BodyRefusedError            a language model's HTTP body, with the parameter that is wrong
├── ActionError (RuntimeError)     an action that the registry would refuse; nothing was sent
│   ├── SubmitError                 a batch that cannot be committed as things stand
│   ├── CreditError                 a bond that the sender's credit does not pay
│   └── ReadOnlyError (PermissionError)   nobody is named who could sign and send
├── ContractError (RuntimeError)   a contract refused a call
├── DeployError (RuntimeError)     a contract that could not be deployed
├── DeploymentError (LookupError)  no record of where a contract is
├── CommitteeError (RuntimeError)  not a committee, or not one of its members
├── PoolError (RuntimeError)       not a pool, or nothing that it can do
├── NotSignedError (PermissionError)      the account's owner refused to sign
├── LockedAccountError (PermissionError)  a keyfile that nothing opens
├── UnreachableError (ConnectionError)    no node answers at a URL
├── LocalnetError (RuntimeError)   anvil is missing, or did not come up
├── WaitError (TimeoutError)       what was waited for did not come in time
├── BatchRejectedError (RuntimeError)     a batch that was to become final was rejected
├── OperatorError (RuntimeError)   an operator that refuses a request, or does not answer
├── AnswerError (ValueError)       an operator's answer that is not what was asked for
└── MissingExtraError (ImportError)       a package that only an extra of this one brings

Errors that only one part of the package raises stand beside it; all derive from TallystickError.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class TallystickError(Exception):
    """Base of every exception that the package raises on purpose."""


class FieldError(TallystickError, ValueError):
    """A field that does not fit its type in the contract."""

    def __init__(self, field: str, found: object, needed: str) -> None:
        self.field, self.found, self.needed = field, found, needed
        super().__init__(f"{field} is {found}; needed: {needed}")


class RulesError(TallystickError, ValueError):
    """Rules that registerNetwork would refuse."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


class SignatureError(TallystickError, ValueError):
    """A signature that the contract would refuse."""


class ProofError(TallystickError, ValueError):
    """A proof that does not lead from its leaf to the root."""


class PreImageError(TallystickError, ValueError):
    """A pre-image that is not the one under a slot's word."""


class LedgerError(TallystickError, ValueError):
    """An event that cannot follow the events before it."""


class NoContractError(TallystickError, ValueError):
    """No contract is at an address, at the block that is read."""


class NotCoveredError(TallystickError, LookupError):
    """A ledger that was read for a part of a registry is asked about something else."""

    def __init__(self, what: str, key: object = None) -> None:
        which = f" of {_named(key)}" if key is not None else ""
        super().__init__(f"{what}{which} were not read: the ledger covers a part of the registry")


class UnknownEventError(LedgerError, LookupError):
    """An event of a kind that is not in the contract's interface."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no event is called {name}")


class UnknownNetworkError(LedgerError):
    """An event in a network, 32 bytes in `network_id`, that no event before it registered."""

    def __init__(self, message: str, network_id: bytes) -> None:
        self.network_id = network_id
        super().__init__(message)


class MissingLogsError(LedgerError):
    """An event that follows from others which the node left out."""


MOST_WRONG = 20
"""So many wrong lines of a file are named, then reading stops."""


class WrongLine(NamedTuple):
    """One line of a file of inferences that cannot be used."""

    line: int
    """Counted from 1; of a Parquet file the row, counted from 1."""
    reason: str


class RecordError(TallystickError, ValueError):
    """Lines of a file of inferences that cannot be used, the first of them first."""

    def __init__(self, wrong: Sequence[WrongLine], more: bool = False) -> None:
        self.wrong = tuple(wrong)
        self.more = more
        lines = [f"line {line}: {reason}" for line, reason in self.wrong]
        super().__init__("\n".join([*lines, "and more"] if more else lines))

    @property
    def line(self) -> int:
        """Number of the first wrong line, counted from 1."""
        return self.wrong[0].line

    @property
    def reason(self) -> str:
        """The reason why the first wrong line is refused."""
        return self.wrong[0].reason


class ReceiptError(TallystickError, ValueError):
    """A receipt of which one part fails; `part` names it."""

    def __init__(self, part: str, reason: str) -> None:
        self.part, self.reason = part, reason
        super().__init__(f"{part}: {reason}")


class StoreError(TallystickError, OSError):
    """Batch data that cannot be kept or read."""


class StoreUnreachableError(StoreError, ConnectionError):
    """A store cannot be asked, or does not say whether it has a batch; another time it may."""


class BatchMissingError(StoreError, FileNotFoundError):
    """The store has no batch under this root."""


class BatchPrunedError(BatchMissingError):
    """The store had the batch under this root, and has let go of it."""


class BatchCorruptError(StoreError, ValueError):
    """Batch data in the store do not hash to the root they are kept under."""


class RunnerError(TallystickError, RuntimeError):
    """A model's runner that cannot be loaded, or that broke down; says nothing of an inference."""


class ModelRefusedError(TallystickError, ValueError):
    """A model whose answers can't be judged, or have no canonical bytes; `part` names where."""

    def __init__(self, part: str, reason: str) -> None:
        self.part, self.reason = part, reason
        super().__init__(f"{part}: {reason}")


class InputRefusedError(TallystickError, ValueError):
    """An input that the model's spec does not allow: no output of it is right."""


class BodyRefusedError(InputRefusedError):
    """A body that LLM-1 does not allow, as the OpenAI API tells it.

    Attributes:
        param: the parameter that is wrong; None where it is the body as a whole.
        code: OpenAI's word for the cause, or None.
        status: HTTP status, 400 or 413.
    """

    def __init__(
        self, param: str | None, reason: str, *, code: str | None = None, status: int = 400
    ) -> None:
        self.param, self.reason, self.code, self.status = param, reason, code, status
        # Whoever asks names the parameter: a message is one short line all the same.
        shown = "the body" if param is None else param if param.isprintable() else repr(param)
        super().__init__(f"{shown[:100]}: {reason}")


class ActionError(TallystickError, RuntimeError):
    """An action that the registry would refuse; nothing was sent."""


class SubmitError(ActionError):
    """A batch cannot be committed as things stand; nothing was sent."""


class CreditError(ActionError):
    """An action whose bond the sender's credit does not pay; amounts in units of the asset.

    Args:
        sender: whose credit, an address as people read it.
        credit: what it is.
        needed: the bond.
        what: what is paid, in words.
    """

    def __init__(self, sender: str, credit: int, needed: int, what: str) -> None:
        self.sender, self.credit, self.needed = sender, credit, needed
        super().__init__(
            f"{sender} has credit {credit}; {what} is {needed}; "
            "add some with `ape tallystick stake deposit --credit-only`"
        )


class ReadOnlyError(ActionError, PermissionError):
    """Nobody is named who could sign and send."""

    def __init__(self) -> None:
        super().__init__("connected to read only; needed: key, account or signer of `connect`")


class ContractError(TallystickError, RuntimeError):
    """A contract refused a call.

    `name` is the custom error's, `args_by_name` what it says; `data` the whole revert data.
    """

    def __init__(self, name: str, args_by_name: Mapping[str, Any], data: bytes = b"") -> None:
        self.name, self.args_by_name, self.data = name, dict(args_by_name), data
        shown = ", ".join(
            f"{key}={'0x' + value.hex() if isinstance(value, bytes) else value}"
            for key, value in args_by_name.items()
        )
        super().__init__(f"{name}({shown})")


class NotSignedError(TallystickError, PermissionError):
    """The account's owner refused to sign; nothing was sent."""


class ReceiptsError(TallystickError, ValueError):
    """A file of receipts with a line that is none, or that is not good."""


class DeploymentError(TallystickError, LookupError):
    """A contract is not recorded for a chain, or not there, or records cannot be read."""


class DeployError(TallystickError, RuntimeError):
    """A contract could not be deployed."""


class CommitteeError(TallystickError, RuntimeError):
    """Not a committee, or not one of its members."""


class PoolError(TallystickError, RuntimeError):
    """Not a pool, or nothing that it can do."""


class LocalnetError(TallystickError, RuntimeError):
    """anvil is missing, or did not come up."""


class LockedAccountError(TallystickError, PermissionError):
    """A keyfile that is not opened by what the environment says, or by nothing that it says."""


class UnreachableError(TallystickError, ConnectionError):
    """No node of a chain answers at a URL."""


class WaitError(TallystickError, TimeoutError):
    """Something that was waited for and did not come in time."""


class BatchRejectedError(TallystickError, RuntimeError):
    """A batch, 32 bytes in `batch_id`, that was to become final was rejected for `cause`."""

    def __init__(self, batch_id: bytes, cause: str, leaf_index: int) -> None:
        self.batch_id, self.cause, self.leaf_index = batch_id, cause, leaf_index
        super().__init__(f"batch 0x{batch_id.hex()} was rejected: {cause} at leaf {leaf_index}")


class OperatorError(TallystickError, RuntimeError):
    """An operator refuses a request, or does not answer; `status` is HTTP's, None: no answer."""

    def __init__(self, status: int | None, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason if status is None else f"{reason} (HTTP {status})")


class AnswerError(TallystickError, ValueError):
    """An operator's answer or receipt is not what was asked for: its word cannot be relied on."""


class MissingExtraError(TallystickError, ImportError):
    """A package is missing that only an extra of this one brings."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{package} is not installed; needed: pip install 'tallystick[{extra}]'")


def _named(key: object) -> str:
    if isinstance(key, tuple):
        return ", ".join(map(_named, key))
    return f"0x{key.hex()}" if isinstance(key, bytes) else str(key)
