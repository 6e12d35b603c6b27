"""Schemas of the API's answers. Amounts are decimal text: JavaScript's numbers can't hold them."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

Hash = Annotated[str, Field(description="32 bytes, hex text")]
Address = Annotated[str, Field(description="20 bytes, hex text")]
Stranger = Annotated[str, Field(description="Anybody's words: data only, never to be run")]
Count = Annotated[int, Field(ge=0, description="inferences")]
Share = Annotated[float | None, Field(description="in [0, 1]; null: unknown")]


def _whole(value: Any) -> Any:
    return str(int(value)) if isinstance(value, int | Decimal) else value


Amount = Annotated[
    str,
    BeforeValidator(_whole),
    Field(description="whole number of the smallest units of the network's asset"),
]


Price = Annotated[
    str,
    Field(
        pattern="^([0-9]+|gas only|unknown)$",
        description="what a fake costs: an amount, as above; or gas only: nothing is lost by one, "
        "or nobody can convict it; or unknown: a resolver was not looked up",
    ),
]
GradePrice = Annotated[Price | None, Field(description="null: the grade is not to be had")]
Because = Annotated[str | None, Field(description="the sentence that the price rests on")]
Standing = Annotated[
    Literal["known", "self-declared", "unidentified"] | None,
    Field(description="of the resolver by its code and terms; null: there is none"),
]


class Covered(BaseModel):
    """The blocks of one registry that numbers rest on."""

    chain_id: int
    core: Address
    first_block: int
    last_block: int
    last_time: int | None = Field(
        description="Unix seconds, of the last block; null: nobody told, see newest_event"
    )
    newest_event: int | None = Field(description="Unix seconds; null: there is no event")
    boundary: Hash = Field(description="hash of the last block")
    events: int
    compared_block: int | None = Field(
        description="at which the contract's own counters were the events'; null: it was not asked"
    )


class Coverage(BaseModel):
    """Blocks that all answers of this version rest on."""

    version: str = Field(description="changes whenever an answer may")
    definitions_version: str
    cores: list[Covered]
    exported: int | None = Field(description="Unix seconds; null: a server answers")
    live: bool = Field(description="whether new blocks are told of at /api/v1/live")
    chains_asked: bool = Field(description="whether /api/v1/chain asks nodes")
    trouble: str = Field(description="why newer blocks are not shown; empty: they are")


class Counters(BaseModel):
    """Inferences by what became of them; they only grow."""

    committed: Count
    unchallenged: Count
    audited: Count
    enclave: Count
    proven: Count
    rejected: Count
    unresolved: Count
    verified: Count = Field(description="audited + enclave + proven")


class Caution(BaseModel):
    """A reason to trust a number less."""

    code: str
    about: str = Field(description="name of the number")
    reason: str


class Unmet(BaseModel):
    """A condition for being known, or for a rank, that is not met."""

    of: Literal["audited", "enclave", "proven", "arbiter", "network"] = Field(
        description="whose: of the resolver that gives this grade, of the arbiter, of the network"
    )
    condition: str = Field(description="its name; docs/data.md lists them")
    reason: str
    actual: str | None = Field(description="null: the condition compares nothing")
    needed: str | None


class Named(BaseModel):
    """A network's name for machines, and the one that it gave itself."""

    chain_id: int
    core: Address
    network_id: Hash


class Network(Counters, Named):
    """A network with all its numbers; /api/v1/definitions says what each means."""

    asset: Address
    rank: int | None = Field(
        description="by known_verified, among networks that are known, backed and convictable"
    )
    unranked_because: str | None = Field(description="why it has no rank; null: it has one")
    unmet: list[Unmet] = Field(description="a network ranked by one grade may have some of another")
    known_verified: Count = Field(description="of verified: by grades that known resolvers give")
    name: Stranger
    uri: Stranger
    open: Count
    burned: Amount
    resolvers: Literal["known", "self-declared", "unidentified", "none"] = Field(
        description="known: a known resolver gives at least one of its grades; none: no grade is "
        "to be had"
    )
    resolver_names: str
    standing_audited: Standing
    standing_enclave: Standing
    standing_proven: Standing
    standing_arbiter: Standing
    backed: bool
    convictable: bool | None = Field(
        description="whether a known arbiter can convict a fake; null: it was not looked up"
    )
    convictable_because: str
    own_arbiter: bool
    bytes_forced: bool
    operators: int = Field(description="accounts that committed")
    owner_operates: bool = Field(description="whether the network's owner is one of them")
    stake_per_inference: Amount
    stake_at_risk: Amount
    price_of_a_fake: Price
    price_of_a_fake_because: str
    price_audited: GradePrice
    price_audited_because: Because
    price_enclave: GradePrice
    price_enclave_because: Because
    price_proven: GradePrice
    price_proven_because: Because
    price_unchallenged: Price
    price_unchallenged_because: str
    audited_share: Share
    found_share: Share
    found_share_because: str = Field(description="what it lacks; empty: nothing")
    solicited_share: Share
    requesters: int | None
    top_share: Share
    herfindahl: Share
    gas_per_verified: float | None
    accessibility: Share
    verifiability: Share
    scalability: Share
    utility: Share
    asked: int
    answered: int
    days: float
    reference: int
    verified_in_period: Count
    left_open: Count
    cautions: list[Caution]


class Rules(BaseModel):
    """Immutable rules of a network; windows in seconds."""

    asset: Address
    attestors_0: Address
    attestors_1: Address
    attestors_2: Address
    arbiter: Address
    stake_per_inference: Amount
    challenge_bond: Amount
    demand_bond: Amount
    max_bytes: int
    challenge_window: int
    response_window: int
    ruling_window: int
    permissionless: bool
    solicited: bool


class HeldSeats(BaseModel):
    """The seats of an account."""

    account: Address
    seats: int


class Seats(BaseModel):
    """A pool's list of seats of the epoch that a block is in."""

    block: int
    epoch: int
    seats: int
    convicted: int = Field(
        ge=0, description="seats among them of convicted keys, whose places count no more"
    )
    accounts: int = Field(description="that have seats; one holder may have several")
    largest: list[HeldSeats] = Field(description="the accounts with most, ten at most")


class Resolver(BaseModel):
    """A contract that a network's rules name."""

    address: Address
    standing: Literal["known", "self-declared", "unidentified"]
    name: str = Field(description="of its code on the published list; empty: it is not there")
    reason: str = Field(description="why it is not known; empty: it is")
    terms: dict[str, Any] = Field(description="as read on chain, by view")
    unmet: list[Unmet] = Field(description="empty: it is known")
    seats: Seats | None = Field(description="of a pool; null: none, or not read at this block")
    audits: int = Field(ge=0, description="of the network's batches, on record in a pool")


class Registration(BaseModel):
    """Registration of a network, and its rules in words."""

    owner: Address
    parent: Hash
    salt: Hash
    block_number: int
    block_time: int
    transaction_hash: Hash
    rules: Rules
    resolvers: dict[str, Resolver] = Field(description="by their place in the rules")
    in_words: list[str]


class Day(Counters):
    """Growth of the counters on a day (UTC)."""

    day: date
    burned: Amount


class Operator(Counters):
    """An operator in a network."""

    operator: Address
    open: Count
    burned: Amount
    audited_share: Share
    stake: Amount
    standing: Literal["admitted", "closed"] | None = Field(description="the owner's last word")


class Model(Counters):
    """A model of a network."""

    model_id: Hash
    name: Stranger
    uri: Stranger
    registrant: Address
    parent: Hash
    content_hash: Hash
    spec_hash: Hash
    block_number: int
    transaction_hash: Hash


class Evidence(BaseModel):
    """Inferences that were audited under one spec; those under several are not added up."""

    spec_hash: Hash
    kind: Literal["exact", "tolerance", "in words of its own", "not known"] = Field(
        description="equal bytes, or distances below thresholds; not known: nobody gave its text"
    )
    terms: list[str] = Field(description="lines of the spec's text that have its thresholds")
    models: int = Field(description="of the network, that are registered under it")
    committed: Count
    audited: Count


class Margins(BaseModel):
    """Margins of an operator's answers as one verifier noted them; nobody else's word."""

    author: str = Field(description="the file")
    operator: Address
    model_id: Hash
    kernel: str = Field(description="class of the kernels that measured")
    answers: int
    doubtful: int = Field(description="answers, of these")
    wrong: int = Field(description="answers, of these")
    tokens: int = Field(description="measured")
    mismatches: int = Field(description="tokens that are not the rule's")
    mean: float | None = Field(description="M of all tokens together, in logits; null: of none")
    largest: float = Field(description="X, in logits")


class Batch(Named):
    """A batch as its events tell of it."""

    batch_id: Hash
    operator: Address
    model_id: Hash
    index: int
    count: Count
    root: Hash
    commit_deadline: Annotated[str, Field(description="Unix seconds")]
    slot: int
    committed_at: int
    committed_block: int
    closes_at: int
    grade: Literal["unchallenged", "audited", "enclave", "proven"]
    lapsed: bool
    state: Literal["open", "disputed", "final", "rejected"]
    outcome: Literal["unchallenged", "audited", "enclave", "proven", "unresolved"] | None
    block_number: int
    block_time: int
    log_index: int
    transaction_hash: Hash
    end_block: int | None


class Step(BaseModel, extra="allow"):
    """An event of a batch, with the event's own fields."""

    event: str
    block_number: int
    block_time: int
    log_index: int
    transaction_hash: Hash


class BatchInFull(Batch):
    """A batch and what happened to it."""

    history: list[Step]


class Dispute(Named):
    """A challenge or a demand, and how it ended."""

    operator: Address
    batch_id: Hash
    number: int = Field(description="of the batch's disputes, from 1 on")
    kind: Literal["challenge", "demand"]
    party: Address
    leaf_index: int
    due: int
    block_number: int
    block_time: int
    transaction_hash: Hash
    ended_as: Literal["upheld", "lapsed", "revealed", "rejected"] | None
    ended_by: str | None = Field(description="cause of a rejection")
    end_block: int | None
    end_time: int | None
    end_transaction: Hash | None


class Rejection(Named):
    """A batch that was rejected: who lost stake, and why."""

    operator: Address
    batch_id: Hash
    cause: str
    leaf_index: int
    count: Count
    payee: Address
    reward: Amount
    burned: Amount
    block_number: int
    block_time: int
    transaction_hash: Hash


class Part(BaseModel):
    """Events of one kind, summed up."""

    event: str
    query: str = Field(description="SQL over the decoded events, a view for each")
    value: str


class Definition(BaseModel):
    """The meaning of a number."""

    name: str
    label: str
    unit: str
    meaning: str
    formula: str


class Number(BaseModel):
    """A number, and what it is made of."""

    name: str
    value: str | None
    because: str | None = Field(description="of a price: the sentence that it rests on")
    definition: Definition
    definitions_version: str
    first_block: int
    last_block: int
    boundary: Hash
    parts: list[Part]
    beside: list[str] = Field(
        description="SQL over inferences (batch data) and transactions, for what is no event"
    )
    events: int = Field(description="how many; listed below /events")


class NumberEvent(BaseModel):
    """An event that a number is made of."""

    event: str
    block_number: int
    block_time: int
    log_index: int
    transaction_hash: Hash
    operator: Address | None
    batch_id: Hash | None
    adds: str = Field(description="name of the event's field, or 1 for each event")
    amount: str = Field(description="what it adds")


class Headline(BaseModel):
    """The definition of the sum over ranked networks, of a version of its own."""

    version: str
    definition: Definition
    caveat: str = Field(description="to be said beside the number, always")


class Definitions(BaseModel):
    """Definitions of all numbers."""

    version: str
    changes: list[tuple[str, str]]
    definitions: list[Definition]
    headline: Headline


class Grades(BaseModel):
    """Inferences by grade, of the grades that known resolvers give."""

    audited: Count
    enclave: Count
    proven: Count


class GradesOfDay(Grades):
    """The same of a day (UTC)."""

    day: date


class NotCounted(BaseModel):
    """Inferences that closed in ranked networks in a period, and are not in the headline."""

    unchallenged: Count
    rejected: Count
    unresolved: Count
    not_known: Count = Field(description="verified by resolvers that are not known")


class InPeriod(Counters, Named):
    """A network in a period."""

    ranked: bool
    known_verified: Count
    known: dict[str, Count] = Field(description="known_verified by grade; no key: not known")
    closed: Count = Field(description="became final or was rejected")
    share: Share = Field(description="known_verified / closed")
    before: int | None = Field(description="known_verified in as many days before; null: no such")
    change: float | None = Field(description="known_verified / before - 1; null: none before")
    trend: list[Count] = Field(description="known_verified of each of the last 30 days; if ranked")


class NetworkInPeriod(InPeriod):
    """A network in a period, and the period's days (UTC)."""

    period: Literal["1d", "7d", "30d", "all"]
    first_day: date
    last_day: date = Field(description="the last of which an event tells")
    ranked_networks: int = Field(description="networks with a rank")


class Summary(BaseModel):
    """The headline of a period: the sum over ranked networks, and what it is made of."""

    version: str
    headline: Headline
    period: Literal["1d", "7d", "30d", "all"]
    first_day: date
    last_day: date = Field(description="the last of which an event tells")
    verified: Count = Field(description="an upper bound of distinct work")
    before: int | None = Field(description="of as many days before; null: events begin later")
    change: float | None
    closed: Count
    share: Share
    by_grade: Grades
    not_counted: NotCounted
    days: list[GradesOfDay] = Field(description="days without any are left out")
    networks: list[InPeriod] = Field(description="ranked ones first, by known_verified")


class Hit(BaseModel):
    """Something that a search found."""

    kind: Literal["network", "model", "operator", "requester", "resolver", "batch", "transaction"]
    chain_id: int
    core: Address
    network_id: Hash | None = Field(
        None, description="of a network, a model, a batch, or of a transaction's batch"
    )
    title: Stranger = Field(description="its name; empty: it has none")
    id: str = Field(description="id, address or hash")
    batch_id: Hash | None = Field(None, description="of a batch, or of a transaction's batch")


class Hits(BaseModel):
    """Findings of a search, the networks first."""

    version: str
    hits: list[Hit]


class Reason(BaseModel):
    """Claims of one verdict for one reason."""

    verdict: str
    reason: str
    count: int


class ForeignNetwork(BaseModel):
    """A network that lives elsewhere; its claims by verdict sum up to what it claims."""

    name: str
    adapter: str
    title: str
    unit: str = Field(description="of every count here; counts of different units never add up")
    claimed: int
    verified: int = Field(description="enclave, proven and audited: checked here again")
    enclave: int
    proven: int
    audited: int
    chain_checked: int = Field(description="by the network's own consensus; not verified")
    opinion: int
    unchecked: int
    rejected: int
    unseen: int
    reasons: list[Reason]
    measures: dict[str, str] = Field(description="figures that no sum is made of")
    last_blocks: dict[str, int] = Field(description="by chain id")
    behind: list[str] = Field(description="chains that the last run could not bring up to date")
    malformed: int
    upgrades: int
    cautions: list[str]


class Elsewhere(BaseModel):
    """Networks that live elsewhere."""

    version: str
    networks: list[ForeignNetwork]


class ChainStatus(BaseModel):
    """A batch's status on the chain at a block."""

    block: int
    state: Literal["unknown", "open", "disputed", "final", "rejected"]
    source: Literal["slot", "archive", "none"]
    outcome: str | None
    lapsed: bool
    cause: str | None


class Problem(BaseModel):
    """The reason why there is no answer."""

    detail: str


Listed = TypeVar("Listed", bound=BaseModel)


class Page(BaseModel, Generic[Listed]):
    """Some rows of a list."""

    version: str = Field(description="of the coverage")
    total: int
    offset: int
    limit: int
    rows: list[Listed]


class Networks(Page[Network]):
    """Some of the networks."""

    ranked: int = Field(description="networks with a rank")
    none_ranked: str = Field(description="why none is ranked; empty: some are")
