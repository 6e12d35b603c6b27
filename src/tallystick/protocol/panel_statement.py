"""A statement of a pool's panel and the signatures under it so far, as a file that keys pass on."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tallystick.protocol.address_text import AddressText
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import checksummed, from_hex, to_hex
from tallystick.protocol.pool import PanelAudit, PanelVerdict, domain_of
from tallystick.protocol.statement_file import StatementError, StatementFile, refusal_of

VERSION = 1


@dataclass(frozen=True, slots=True)
class PanelStatement(StatementFile):
    """A statement by keys of one pool: an audit of a batch, or a ruling on one of its leaves.

    >>> said = PanelStatement(domain_of(1, bytes(20)), bytes(32), PanelAudit(bytes(32), bytes(32)))
    >>> signed = said.signed(b"k" * 20, b"s" * 65)
    >>> PanelStatement.from_json(signed.to_json()) == signed
    True
    """

    domain: Domain
    """The pool's."""
    batch_id: bytes
    says: PanelAudit | PanelVerdict
    leaf_index: int | None = None
    """Of a ruling."""
    signatures: dict[bytes, bytes] = field(default_factory=dict)
    """By key, 20 bytes."""

    def signed(self, key: bytes, signature: bytes) -> "PanelStatement":
        """Return it with one more signature."""
        return replace(self, signatures={**self.signatures, key: signature})

    def merged(self, other: "PanelStatement") -> "PanelStatement":
        """Return it with another's signatures too; StatementError if that says something else."""
        if (self.domain, self.says) != (other.domain, other.says):
            raise StatementError(
                f"the files hold different statements: {self._named} and {other._named}"
            )
        return replace(self, signatures={**self.signatures, **other.signatures})

    @classmethod
    def joined(cls, statements: Iterable["PanelStatement"]) -> "PanelStatement":
        """Return one statement with the signatures of several.

        Raises:
            StatementError: they say different things, or there is none.
        """
        found = list(statements)
        if not found:
            raise StatementError("there is no statement; needed: one or more")
        first, *others = found
        for other in others:
            first = first.merged(other)
        return first

    @property
    def _named(self) -> str:
        if isinstance(self.says, PanelAudit):
            return f"an audit of seed {to_hex(self.says.seed)}"
        ruling = self.says.ruling.name.lower()
        return f"{ruling} in case {to_hex(self.says.case_id)} of seed {to_hex(self.says.seed)}"

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, bytes as hex text."""
        said: dict[str, Any] = {"kind": "audit"}
        if isinstance(self.says, PanelVerdict):
            said = {
                "kind": "verdict",
                "leaf_index": self.leaf_index,
                "case_id": to_hex(self.says.case_id),
                "ruling": self.says.ruling.name.lower(),
            }
        return {
            "version": VERSION,
            "chain_id": self.domain.chain_id,
            "pool": checksummed(self.domain.contract),
            "batch_id": to_hex(self.batch_id),
            **said,
            "seed": to_hex(self.says.seed),
            "signatures": {checksummed(key): to_hex(one) for key, one in self.signatures.items()},
        }

    @classmethod
    def from_json(cls, found: Any) -> "PanelStatement":
        """Return the statement that a JSON object holds; StatementError when it is none."""
        if isinstance(found, dict) and (
            wrong := unknown_version("statement of a pool", found.get("version"), VERSION)
        ):
            raise StatementError(wrong)
        try:
            file = _FILE.validate_python(found)
        except ValidationError as error:
            raise refusal_of(error) from error
        batch_id, seed, leaf_index = from_hex(file.batch_id), from_hex(file.seed), None
        says: PanelAudit | PanelVerdict = PanelAudit(batch_id, seed)
        if isinstance(file, _Verdict):
            leaf_index, ruling = file.leaf_index, Ruling[file.ruling.upper()]
            says = PanelVerdict(from_hex(file.case_id), seed, ruling)
        domain = domain_of(file.chain_id, from_hex(file.pool))
        signatures = {from_hex(key): from_hex(one) for key, one in file.signatures.items()}
        return cls(domain, batch_id, says, leaf_index, signatures)


_Signature = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{130}$")]
_Bytes32 = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    chain_id: Annotated[int, Field(ge=1)]
    pool: AddressText
    batch_id: _Bytes32
    seed: _Bytes32
    signatures: dict[AddressText, _Signature]


class _Audit(_Said):
    kind: Literal["audit"]


class _Verdict(_Said):
    kind: Literal["verdict"]
    leaf_index: Annotated[int, Field(ge=0, lt=2**20)]
    case_id: _Bytes32
    ruling: Literal["upheld", "rejected"]


_FILE: TypeAdapter[_Audit | _Verdict] = TypeAdapter(
    Annotated[_Audit | _Verdict, Field(discriminator="kind")]
)
