"""A committee's statement and the signatures under it so far, as a file that members pass on."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tallystick.protocol.address_text import AddressText
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.statement_file import StatementError as StatementError
from tallystick.protocol.statement_file import StatementFile, refusal_of

VERSION = 1


@dataclass(frozen=True, slots=True)
class Statement(StatementFile):
    """A statement by members of one committee about one batch.

    >>> said = Statement(Domain(1, bytes(20)), Audit(bytes(32), 9, bytes(32)))
    >>> Statement.from_json(said.signed(2, b"s").to_json()).signatures
    {2: b's'}
    """

    domain: Domain
    """The committee's."""
    says: Audit | Verdict
    signatures: dict[int, bytes] = field(default_factory=dict)
    """By the member's place, from zero."""

    def signed(self, member: int, signature: bytes) -> "Statement":
        """Return it with one more signature."""
        return replace(self, signatures={**self.signatures, member: signature})

    def merged(self, other: "Statement") -> "Statement":
        """Return it with another's signatures too; StatementError if that says something else."""
        if (self.domain, self.says) != (other.domain, other.says):
            raise StatementError("the files hold different statements; they cannot be merged")
        return replace(self, signatures={**self.signatures, **other.signatures})

    def evidence(self) -> bytes:
        """Return the evidence for attest (an audit) or for resolve and disprove (a verdict)."""
        return self.says.evidence(self.signatures)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, bytes as hex text."""
        said: dict[str, Any]
        if isinstance(self.says, Audit):
            said = {
                "kind": "audit",
                "committed_at": self.says.committed_at,
                "seed": to_hex(self.says.seed),
            }
        else:
            said = {
                "kind": "verdict",
                "leaf_index": self.says.leaf_index,
                "leaf": to_hex(self.says.leaf),
                "ruling": self.says.ruling.name.lower(),
            }
        return {
            "version": VERSION,
            "chain_id": self.domain.chain_id,
            "committee": checksummed(self.domain.contract),
            "batch_id": to_hex(self.says.batch_id),
            **said,
            "signatures": {str(member): to_hex(one) for member, one in self.signatures.items()},
        }

    @classmethod
    def from_json(cls, found: Any) -> "Statement":
        """Return the statement that a JSON object holds; StatementError when it is none."""
        if isinstance(found, dict) and (
            wrong := unknown_version("statement", found.get("version"), VERSION)
        ):
            raise StatementError(wrong)
        try:
            file = (
                _Audit.model_validate(found) if _is_audit(found) else _Verdict.model_validate(found)
            )
        except ValidationError as error:
            raise refusal_of(error) from error
        batch_id = from_hex(file.batch_id)
        says: Audit | Verdict
        if isinstance(file, _Audit):
            says = Audit(batch_id, file.committed_at, from_hex(file.seed))
        else:
            ruling = Ruling[file.ruling.upper()]
            says = Verdict(batch_id, file.leaf_index, from_hex(file.leaf), ruling)
        domain = Domain(file.chain_id, from_hex(file.committee))
        return cls(domain, says, {int(n): from_hex(one) for n, one in file.signatures.items()})


def _is_audit(found: Any) -> bool:
    return isinstance(found, dict) and found.get("kind") == "audit"


_Bytes = Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})*$")]
_Bytes32 = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]
_Place = Annotated[str, Field(pattern="^[0-9]{1,2}$")]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    chain_id: Annotated[int, Field(ge=1)]
    committee: AddressText
    batch_id: _Bytes32
    signatures: dict[_Place, _Bytes]


class _Audit(_Said):
    kind: Literal["audit"]
    committed_at: Annotated[int, Field(ge=0, lt=2**40)]
    seed: _Bytes32


class _Verdict(_Said):
    kind: Literal["verdict"]
    leaf_index: Annotated[int, Field(ge=0, lt=2**20)]
    leaf: _Bytes32
    ruling: Literal["upheld", "rejected"]
