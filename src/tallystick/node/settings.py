"""A node's settings: one YAML or TOML file, and environment variables that go before it.

TALLYSTICK_NODE_<SECTION>__<FIELD> sets a field, such as TALLYSTICK_NODE_OPERATOR__PORT=8100; lists
and nested values are given as JSON. Hex text is in quotes, for YAML takes 0x... for a number.
"""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml  # type: ignore[import-untyped]
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tallystick.errors import FieldError
from tallystick.hexes import from_hex
from tallystick.node.errors import SettingsError

PREFIX = "TALLYSTICK_NODE_"


def _hex(length: int) -> BeforeValidator:
    def read(value: object) -> bytes:
        if isinstance(value, bytes) and len(value) == length:
            return value
        if not isinstance(value, str):
            raise ValueError("needed: hex text in quotes")
        try:
            return from_hex(value, length)
        except FieldError as error:
            raise ValueError(str(error)) from error

    return BeforeValidator(read)


def _home(path: Path) -> Path:
    return path.expanduser()


Address = Annotated[bytes, _hex(20)]
Bytes32 = Annotated[bytes, _hex(32)]
Folder = Annotated[Path, AfterValidator(_home)]
Port = Annotated[int, Field(ge=0, lt=1 << 16)]
"""0: whichever is free."""
Amount = Annotated[int, Field(ge=0, lt=1 << 128)]
"""In units of the asset, wei for the native coin."""
Seconds = Annotated[float, Field(gt=0, le=31_536_000)]
NEVER: Literal["never"] = "never"
"""In place of a time: what is kept is kept for good."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LogLevel(StrEnum):
    """Least level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Common(_Section):
    """What every node needs."""

    network: str = "ethereum:local"
    """The chain, as Ape's --network names it: ecosystem:network, or with a provider."""
    rpc: str | None = None
    """JSON-RPC URL, in place of the provider of Ape's network."""
    more_rpc: list[str] = []
    """URLs of further nodes, from which events are read where the first leaves some out."""
    registry: Address | None = None
    """The core; None: as recorded for the chain by `ape run deploy`."""
    first_block: Annotated[int, Field(ge=0)] | None = None
    """Where events are read from; None: the recorded block of deployment, or 0."""
    account: str = ""
    """Alias of the Ape account that sends and signs (TEST::0 locally)."""
    data: Folder = Path("~/.tallystick/node").expanduser()
    """Journals and locks; processes of one account on one chain share one."""
    poll_every: Seconds = 2.0
    """Between two looks at the chain."""
    confirmations: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Blocks on top of one before its events are acted on."""
    log_level: LogLevel = LogLevel.INFO
    log_format: Literal["json", "console"] = "json"
    metrics_host: str = "127.0.0.1"
    metrics_port: Port | None = None
    """Where Prometheus reads; None: nowhere."""


class ServedModel(_Section):
    """A model that an operator answers for."""

    id: Bytes32
    """As registered on chain."""
    file: Folder
    """Its content, which must have the registered content hash."""
    runner: str
    """qi8, digits, onnx, or a callable as module:function."""
    traced: bool = False
    """Give each inference of a QI8-1 model its traceRoot, for an arbiter that needs it."""


class Operator(_Section):
    """An operator that answers requests in one network."""

    network_id: Bytes32
    operator: Address | None = None
    """Whose lane it is, where the account is only the operator's key; None: the account's own."""
    models: Annotated[list[ServedModel], Field(min_length=1)]
    host: str = "127.0.0.1"
    port: Port = 8100
    store: str = ""
    """URL where batch data are kept, as fsspec knows it; empty: <data>/batches."""
    max_inferences: Annotated[int, Field(ge=1, le=4096)] = 64
    """In one request."""
    max_body: Annotated[int, Field(ge=1024, le=1 << 30)] = 8 << 20
    """Bytes of one request."""
    max_waiting: Annotated[int, Field(ge=1)] = 1 << 20
    """Inferences taken and not yet committed; beyond, requests are refused."""
    commit_every: Seconds = 600.0
    """A batch is committed at the latest this long after its first answer."""
    commit_at: Annotated[int, Field(ge=1, le=1 << 20)] = 1 << 16
    """Inferences at which a batch is committed before its time; the most in one batch."""
    commit_margin: Seconds = 120.0
    """How long before the earliest deadline a batch is committed at the latest; requests with less
    time than twice this are refused."""
    answer_demands: bool = True
    finalize: bool = True
    """Finalize own batches that no commit took along within `finalize_after`."""
    finalize_after: Annotated[float, Field(ge=0)] = 6 * 3600.0
    """Seconds after a commit could have finalized a batch."""
    prune_after: Annotated[float, Field(ge=0)] | Literal["never"] = 30 * 86400.0
    """Seconds for which inputs, outputs and data of a batch are kept once the network's windows
    have passed since it closed; those of missed answers, since their deadline. never: for good."""
    prune_every: Seconds = 600.0
    """Between two looks for what can be pruned."""


class Demands(StrEnum):
    """When a verifier demands a leaf on chain."""

    NEVER = "never"
    MISSING = "missing"
    """A batch's data are in no store."""
    ALWAYS = "always"
    """Of the data of each batch that it looks at; for tests."""


class ModelSource(_Section):
    """Where a verifier finds what a model is run with."""

    id: Bytes32
    file: Folder | None = None
    """Its content; None: pulled from the hub."""
    runner: str
    """As of an operator's model."""
    comparison: str = ""
    """A callable module:function that compares two outputs; empty: exact bytes."""


class Verifier(_Section):
    """A verifier that looks at new batches."""

    networks: list[Bytes32] = []
    """Watched; none: all."""
    stores: list[str] = []
    """URLs where operators keep batch data, tried in turn."""
    hub: list[str] = []
    """URLs of model stores, tried in turn."""
    models: list[ModelSource] = []
    """Models that can be re-executed here; batches of others are left alone."""
    committees: list[Address] = []
    """Where it is a member: those that are attestors have its audits, arbiters its rulings."""
    drawn: Annotated[int, Field(ge=1, le=1 << 20)] | None = None
    """Leaves re-executed of a batch; None: the least that the committee asks for, or 64."""
    demands: Demands = Demands.MISSING
    share_folder: str = ""
    """Folder in which members of the committee leave signatures for each other; empty: none."""
    share_peers: list[str] = []
    """URLs of other members' nodes, asked for their signatures."""
    share_host: str = "127.0.0.1"
    share_port: Port | None = None
    """Where other members ask for this node's signatures; None: nowhere."""
    challenge: bool = True
    """Challenge, disprove and fault; else only say what is wrong."""
    dry_run: bool = False
    """Send nothing; log what would have been sent."""
    spending_cap_per_day: Amount = 10**18
    """Bonds and gas that may be put up in 24 hours, each asset in its own units."""
    gas_price_cap: Amount = 200 * 10**9
    """Wei a gas; above, nothing is sent."""
    claim_above: Amount | None = None
    """Credit left in the core; what is above goes to the account once a day. None: never."""
    missing_after: Annotated[float, Field(ge=0)] = 120.0
    """Seconds after a commit until data that no store has count as withheld."""
    demands_per_batch: Annotated[int, Field(ge=0, le=64)] = 1
    """At most; each that is answered costs its bond."""
    look_every: Seconds = 30.0
    """Between two looks for data that were missing."""
    turn_every: Seconds = 15.0
    """How long this node waits for another to make a move that any may make, for each node that is
    before it."""
    fetch_timeout: Seconds = 30.0
    """For the whole of a batch's data from one store."""
    fetch_max_size: Annotated[int, Field(ge=1)] = 1 << 30
    """Bytes of a batch's data, packed or unpacked."""
    broker: str = "memory"
    """memory, or a redis:// URL that several workers share."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1


class Settings(BaseSettings):
    """All sections; a node needs `common` and its own."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    common: Common = Common()
    operator: Operator | None = None
    verifier: Verifier | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment go before the file, whose content comes by `__init__`."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _check_traced(self) -> "Settings":
        for model in self.operator.models if self.operator else []:
            if model.traced and model.runner != "qi8":
                raise ValueError("operator.models: only a qi8 runner can be traced")
        return self

    @model_validator(mode="after")
    def _check_workers(self) -> "Settings":
        if self.verifier and self.verifier.workers > 1 and self.verifier.broker == "memory":
            raise ValueError("verifier.workers is more than 1; needed: broker with a redis:// URL")
        return self

    @classmethod
    def load(cls, path: Path | None = None) -> "Settings":
        """Return the settings of a file (.yaml, .yml or .toml) and of the environment.

        Raises:
            SettingsError: the file cannot be read, or a field is wrong; the first is named.
        """
        try:
            return cls(**(_read(path) if path else {}))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "settings"
            raise SettingsError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error

    def need_operator(self) -> Operator:
        """Return the operator's section; SettingsError when there is none."""
        if self.operator is None:
            raise SettingsError("the settings have no operator section")
        return self.operator

    def need_verifier(self) -> Verifier:
        """Return the verifier's section; SettingsError when there is none."""
        if self.verifier is None:
            raise SettingsError("the settings have no verifier section")
        return self.verifier


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    try:
        found = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"{path} is not what its name says: {reason}") from error
    if not isinstance(found, dict):
        raise SettingsError(f"{path} holds no sections")
    return found
