"""A node's settings: one YAML or TOML file, and environment variables that go before it.

TALLYSTICK_NODE_<SECTION>__<FIELD> sets a field, such as TALLYSTICK_NODE_OPERATOR__PORT=8100; lists
and nested values are given as JSON. Hex text is in quotes, for YAML takes 0x... for a number.
"""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

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

from tallystick.chain.rpc.url import RpcUrl
from tallystick.errors import FieldError
from tallystick.node.errors import SettingsError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.quantities import amount_of, duration_of
from tallystick.protocol.text import TextError, decoded
from tallystick.storage.yaml_file import YamlFile, YamlFileError, fields_at, unknown_key

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


def _node_url(value: str) -> str:
    RpcUrl.parse(value)
    return value.strip()


NodeUrl = Annotated[str, AfterValidator(_node_url)]
"""Of JSON-RPC over HTTP; may hold a key, or user:password@."""
Address = Annotated[bytes, _hex(20)]
Bytes32 = Annotated[bytes, _hex(32)]
Folder = Annotated[Path, AfterValidator(_home)]
Port = Annotated[int, Field(ge=0, lt=1 << 16)]
"""0: whichever is free."""
Amount = Annotated[
    int, BeforeValidator(lambda value: amount_of(value, "it")), Field(ge=0, lt=1 << 128)
]
"""In units of the asset, wei for the native coin; or such as 0.5 ether."""


def _duration(value: object) -> object:
    """Return seconds; numbers as they are, which may have a part of a second."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return duration_of(value, "it")


Delay = Annotated[float, BeforeValidator(_duration), Field(ge=0)]
"""Seconds, or such as 90s, 15m, 1h, 30d."""
Seconds = Annotated[float, BeforeValidator(_duration), Field(gt=0, le=31_536_000)]
"""The same, more than zero and at most a year."""
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
    """Settings that every node needs."""

    network: str = "ethereum:local"
    """The chain, as Ape's --network names it: ecosystem:network, or with a provider."""
    rpc: NodeUrl | None = None
    """JSON-RPC URL, in place of the provider of Ape's network."""
    more_rpc: list[NodeUrl] = []
    """URLs of further nodes, from which events are read where the first leaves some out."""
    registry: Address | None = None
    """The registry; None: as recorded for the chain by `ape tallystick deploy`."""
    first_block: Annotated[int, Field(ge=0)] | None = None
    """Where events are read from; None: the recorded block of deployment, or found by the code."""
    account: str = ""
    """Alias of the Ape account that sends and signs (TEST::0 locally)."""
    data: Folder = Path("~/.tallystick/node").expanduser()
    """Journals, locks, what was read of the chain; one account's processes on a chain share it."""
    poll_every: Seconds = 2.0
    """Between two looks at the chain."""
    confirmations: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Blocks on top of one before its events are acted on; None: what suits the chain."""
    log_level: LogLevel = LogLevel.INFO
    log_format: Literal["json", "console"] = "json"
    metrics_host: str = "127.0.0.1"
    metrics_port: Port | None = None
    """Where Prometheus reads; None: nowhere."""


LLM = "llm"
"""Runner of language models."""
ZK = "zk"
"""Runner of zk models, whose file is the folder that `zk setup` makes."""


class _NodeModel(_Section):
    id: Bytes32
    """As registered on chain."""
    runner: str
    """qi8, onnx, llm, zk, or a callable as module:function."""
    spec: Folder | None = None
    """The text that was registered, for an onnx or llm runner; None: that of an integer graph."""
    slots: Annotated[int, Field(ge=1, le=32)] = 8
    """Texts of an llm runner that are computed side by side."""
    kernel: Literal["avx2", "avx512"] | None = None
    """Class of CPU kernels of an llm runner; None: the exact spec's, or avx2."""
    golden: Bytes32 | None = None
    """Hash of the model's own logits, as its listing has it, for an exact spec of LLM-1."""


class ServedModel(_NodeModel):
    """A model that an operator answers for."""

    file: Folder
    """Its content, which must have the registered content hash."""
    traced: bool = False
    """Give each inference of a QI8-1 model its traceRoot; of a QI8-1T model it always is."""


class Quota(_Section):
    """Limits to what is asked for; None: no limit."""

    per_minute: Annotated[int, Field(ge=1)] | None = None
    """Signed requests a minute; each process of the lane counts those that it is asked."""
    open_inferences: Annotated[int, Field(ge=1)] | None = None
    """Answers that are not final on chain yet."""


class Requesters(_Section):
    """Requesters that an operator answers, and how much each may ask for.

    Keys cost nothing: who is not in `known` is a stranger, and all strangers share one quota.
    """

    known: list[Address] = []
    """The allow list."""
    strangers: bool = True
    """Answer those that are not in it too."""
    each: Quota = Quota()
    """Of each requester."""
    all_strangers: Quota = Quota()
    """Of all strangers together."""
    stake_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the lane's stake that open inferences may take."""
    strangers_stake_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the lane's stake that all strangers' open inferences may take."""


class EscrowSettings(_Section):
    """Escrow that pays the auditors of a pool."""

    pool: Address
    floor: Amount
    """Units of the pool's asset; below, the node says so, and adds to it."""
    top_up: Amount = 0
    """Added at a time: from the operator's credit in the pool, then in the native coin from its
    account. 0: the node only warns."""


class ProvingSettings(_Section):
    """Proofs of zk models' answers, made in the background."""

    timeout: Seconds = 600.0
    """That one proof may take."""
    memory: Annotated[float, Field(gt=0)] = 16.0
    """GiB of address space that one proof may take."""
    at_once: Annotated[int, Field(ge=1, le=64)] = 1
    """Proofs that are made side by side, each in a process of its own."""
    leaves: Annotated[int, Field(ge=1, le=64)] = 34
    """Most answers of a proven batch; fewer where a transaction carries fewer of their proofs."""


class OperatorSettings(_Section):
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
    max_generating: Annotated[int, Field(ge=1)] = 64
    """Answers of language models that are under way; beyond, requests are told to come again."""
    requesters: Requesters = Requesters()
    shared: bool = False
    """Further processes with this setting serve the same lane from the same data folder."""
    commit_every: Seconds = 600.0
    """A batch is committed at the latest this long after its first answer."""
    commit_at: Annotated[int, Field(ge=1, le=1 << 20)] = 1 << 16
    """Inferences at which a batch is committed before its time; the most in one batch."""
    commit_margin: Seconds = 120.0
    """How long before the earliest deadline a batch is committed at the latest; requests with less
    time than twice this are refused."""
    proving: ProvingSettings = ProvingSettings()
    escrow: EscrowSettings | None = None
    """In the pool that audits the network; None: none is looked after."""
    answer_demands: bool = True
    play_games: bool = True
    """Make the operator's moves in replay games about its batches, and end those whose challenger
    is silent."""
    reveal_gas_price_cap: Amount = 2000 * 10**9
    """Wei a gas up to which the fee of an answer to a demand, or of a move in a game, is raised
    while no block takes it."""
    finalize: bool = True
    """Finalize own batches that no commit took along within `finalize_after`."""
    finalize_after: Delay = 6 * 3600.0
    """Seconds after a commit could have finalized a batch."""
    prune_after: Delay | Literal["never"] = 30 * 86400.0
    """Seconds for which inputs, outputs and data of a batch are kept once the network's windows
    have passed since it closed; those of missed answers, since their deadline. never: for good."""
    prune_every: Seconds = 600.0
    """Between two looks for what can be pruned."""


class Demands(StrEnum):
    """Cases in which a verifier demands a leaf on chain."""

    NEVER = "never"
    """Nor for a leaf that nobody can reveal: no bond is paid for a demand."""
    MISSING = "missing"
    """A batch's data are in no store."""
    ALWAYS = "always"
    """Of the data of each batch that it looks at; for tests."""


class ModelSource(_NodeModel):
    """Source of what a verifier runs a model with."""

    file: Folder | None = None
    """Its content; None: pulled from one of model_stores."""
    slots: Annotated[int, Field(ge=1, le=32)] = 1
    """Answers of an llm runner that are measured side by side."""
    comparison: str = ""
    """A callable module:function that compares two outputs, for a spec in words of one's own;
    empty: as the spec says, or exact bytes."""
    second: str = ""
    """What runs once more whatever seems wrong. Of an onnx runner: a Python, or the folder of its
    environment, with an onnxruntime; empty: the node's own, with other kernels. Of an llm runner:
    another class of kernels for a tolerance, the folder of xllamacpp's library for an exact spec;
    empty: whichever of these is here."""


class PoolSettings(_Section):
    """A pool of auditors that the verifier's account is a key in."""

    address: Address
    seats: Annotated[int, Field(ge=1, lt=1 << 24)]
    """Seats to have; bought from the key's credit in the pool, and enrolled anew each epoch."""
    account: Address | None = None
    """Where stake and fees go, fixed when the key first enrols; None: the key itself."""
    collect_above: Amount | None = None
    """Fees and credit left in the pool; what is above goes out once a day. None: never."""


class VerifierSettings(_Section):
    """A verifier that looks at new batches."""

    networks: list[Bytes32] = []
    """Watched; none: all."""
    stores: list[str] = []
    """URLs where operators keep batch data, tried in turn."""
    model_stores: list[str] = []
    """URLs of model stores, tried in turn."""
    models: list[ModelSource] = []
    """Models that can be re-executed here; batches of others are left alone."""
    committees: list[Address] = []
    """Where it is a member: those that are attestors have its audits, arbiters its rulings."""
    pool: PoolSettings | None = None
    """The pool that its account audits for; None: none."""
    drawn: Annotated[int, Field(ge=1, le=1 << 20)] | None = None
    """Leaves re-executed of a batch; None: the least that committee or pool asks for, or 64."""
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
    """Credit left in the registry; what is above goes to the account once a day. None: never."""
    missing_after: Delay = 120.0
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
    """memory, or a redis:// or rediss:// (TLS) URL that several workers share."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    drawn_private: Annotated[int, Field(ge=0, le=1 << 20)] = 16
    """Leaves re-executed of a batch beside those that everybody draws; nobody else knows which."""
    prompt_within: Seconds = 10.0
    """Data that were asked for at least this long before the block that seeds the draw, and did not
    come before it, are withheld for this node's verdict, though they come later."""
    parse_memory: Annotated[int, Field(ge=64 << 20)] | None = None
    """Bytes that reading a batch's file may take; None: three times fetch_max_size, but at least
    512 MiB, and at most half of the machine's."""
    parse_timeout: Seconds = 60.0
    """For reading a batch's file once it is here."""


class Settings(BaseSettings):
    """All sections; a node needs `common` and its own."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    common: Common = Common()
    operator: OperatorSettings | None = None
    verifier: VerifierSettings | None = None

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
    def _check_specs(self) -> "Settings":
        models: list[ServedModel | ModelSource] = [
            *(self.operator.models if self.operator else []),
            *(self.verifier.models if self.verifier else []),
        ]
        for model in models:
            second = isinstance(model, ModelSource) and model.second
            if (model.spec or second) and model.runner not in ("onnx", LLM):
                raise ValueError("models: only an onnx or llm runner takes spec and second")
            if (model.kernel or model.golden) and model.runner != LLM:
                raise ValueError("models: only an llm runner takes kernel and golden")
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
        file = _read_yaml(path) if path and path.suffix != ".toml" else None
        try:
            content = file.content if file else _read_toml(path) if path else {}
            return cls(**content)
        except ValidationError as error:
            found = error.errors(include_url=False)
            # A wrong key is why another one is missing.
            unknown = [one for one in found if one["type"] == "extra_forbidden"]
            first = (unknown or found)[0]
            place = list(first["loc"])
            if first["type"] == "extra_forbidden":
                reason = unknown_key(place[-1], fields_at(cls, place[:-1]))
            else:
                where = ".".join(str(step) for step in place) or "settings"
                reason = f"{where}: {first['msg'].removeprefix('Value error, ')}"
            # What is not in the file is of the environment.
            told = str(file.error(place, reason)) if file and file.has(place[:-1]) else reason
            raise SettingsError(told) from error

    def need_operator(self) -> OperatorSettings:
        """Return the operator's section; SettingsError when there is none."""
        if self.operator is None:
            raise SettingsError("the settings have no operator section")
        return self.operator

    def need_verifier(self) -> VerifierSettings:
        """Return the verifier's section; SettingsError when there is none."""
        if self.verifier is None:
            raise SettingsError("the settings have no verifier section")
        return self.verifier


def _read_yaml(path: Path) -> YamlFile:
    try:
        return YamlFile(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    except YamlFileError as error:
        raise SettingsError(str(error)) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(decoded(path.read_bytes()))
    except (OSError, TextError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"{path} is not what its name says: {reason}") from error
