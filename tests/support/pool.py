"""A pool whose keys are the chain's accounts and some more, and that signs what a test wants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from eth_account import Account
from web3.exceptions import ContractCustomError

from tallystick.chain.revert import decode_revert
from tallystick.protocol.batch import NO_DISPUTE, Dispute
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.pool import (
    EPOCH,
    NO_RECORD,
    PanelAudit,
    PanelVerdict,
    Quorums,
    Record,
    Seats,
    SignedPlaces,
    case_id,
    domain_of,
    epoch_of,
    listed,
    pack_signatures,
    places_of,
)
from tallystick.protocol.sampling import draw
from tallystick.protocol.signature import account_of, sign
from tests.support.chain import Chain, Mined
from tests.support.story import Committed

MNEMONIC = "test test test test test test test test test test test junk"
SPEC = b"s" * 32
"""Of the models that tests register."""
SEAT_STAKE, FEE, RULE_FEE = 1_000, 3, 7
SEED_DELAY, MIN_DRAWN, EXIT_DELAY = 8, 16, 14 * 24 * 3600
CREDIT = 1_000_000
HISTORY, HISTORY_BLOCKS, OLD = "0x0000F90827F1C53a10cb7A02335B175320002935", 8191, 300
ACCOUNTS = 10
"""Of the chain."""

Account.enable_unaudited_hdwallet_features()


@cache
def key_of(number: int) -> bytes:
    """The private key of a member: the chain's account of that number, or one of its own."""
    if number < ACCOUNTS:
        return bytes(Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}").key)
    return keccak256(b"member %d" % number)


@dataclass
class Pool:
    """A deployed pool, and its lists as its members know them."""

    chain: Chain
    contract: Any
    panel: int
    lists: dict[int, list[Seats]] = field(default_factory=dict)
    members: dict[bytes, int] = field(default_factory=dict)
    """Number of each key that was used."""
    planted: dict[int, bytes] = field(default_factory=dict)

    @property
    def address(self) -> bytes:
        return bytes.fromhex(self.contract.address[2:])

    @property
    def domain(self) -> Domain:
        return domain_of(self.chain.registry.domain.chain_id, self.address)

    @property
    def quorums(self) -> Quorums:
        return Quorums.of(self.panel)

    def send(self, sender: bytes, name: str, *arguments: Any, value: int = 0) -> Mined:
        return self.chain.transact(
            sender, getattr(self.contract.functions, name)(*arguments), value
        )

    def read(self, name: str, *arguments: Any) -> Any:
        """The answer of a view; ContractError if it is refused."""
        try:
            return getattr(self.contract.functions, name)(*arguments).call()
        except ContractCustomError as error:
            raise decode_revert(bytes.fromhex(str(error.data)[2:])) from error

    def credit(self, account: bytes) -> int:
        return int(self.read("creditOf", account))

    def member(self, number: int) -> bytes:
        """A member's key's account, unlocked."""
        account = account_of(key_of(number))
        if account not in self.members:
            self.members[account] = number
            if number >= ACCOUNTS:
                self.chain.unlock(account)
        return account

    def fund(self, account: bytes, amount: int = CREDIT) -> None:
        self.send(account, "deposit", account, amount, value=amount)

    def enroll(self, member: int, seats: int, account: bytes | None = None) -> Mined:
        """Have a member's key sit in the next epoch's list."""
        key = self.member(member)
        mined = self.send(key, "enroll", seats, account or key)
        epoch = epoch_of(mined.timestamp) + 1
        of = [(one.key, one.count) for one in self.lists.get(epoch, [])]
        self.lists[epoch] = listed([*of, (key, int(self.read("memberOf", key)[0]))])
        return mined

    def next_epoch(self) -> None:
        """Go to where the next epoch begins."""
        self.chain.at((epoch_of(self.chain.now) + 1) * EPOCH).mine()

    def list_of(self, batch: Committed) -> list[Seats]:
        return self.lists[epoch_of(batch.stamp.committed_at)]

    def plant_seed(self, number: int, seed: bytes) -> None:
        """Have the chain's history hold this hash of a block, once the block is old."""
        head, now = self.chain.w3.eth.block_number, self.chain.now
        self.chain.mine(number + OLD - head)
        # anvil mines many blocks by its own clock; what follows is at the same second each time.
        self.chain.at(now + 2 * OLD).mine()
        self.chain.w3.provider.make_request(
            "anvil_setStorageAt", [HISTORY, f"0x{number % HISTORY_BLOCKS:064x}", f"0x{seed.hex()}"]
        )
        self.planted[number] = seed

    def seed(self, number: int) -> bytes:
        """The hash of a block, mined until it is known."""
        if number in self.planted:
            return self.planted[number]
        head = self.chain.w3.eth.block_number
        if head <= number:
            self.chain.mine(number + 1 - head)
        return bytes(self.chain.w3.eth.get_block(number)["hash"])

    def mine_to(self, number: int) -> None:
        """Have a block of this number be the latest, a second a block, thousands of them at once.

        The history contract has no code meanwhile: anvil hashes all that it holds with each block,
        minutes for 8,191. What it held it still holds then, of the blocks between nothing.
        """
        code, head = self.chain.w3.eth.get_code(HISTORY), self.chain.w3.eth.block_number
        self._set_history_code(b"")
        self.chain.mine(number - 1 - head)
        self._set_history_code(code)
        self.chain.mine()

    def audit_seed(self, batch: Committed) -> bytes:
        return self.seed(batch.stamp.committed_block + SEED_DELAY)

    def sign(
        self, digest: bytes, entries: Sequence[Seats], places: dict[int, list[int]]
    ) -> dict[int, SignedPlaces]:
        """Signatures of entries for their places."""
        return {
            entry: SignedPlaces(tuple(held), sign(digest, key_of(self.members[entries[entry].key])))
            for entry, held in places.items()
        }

    def audited(
        self,
        batch: Committed,
        places: int | None = None,
        but: Iterable[int] = (),
        alone: bool = False,
    ) -> tuple[Record, dict[int, SignedPlaces]]:
        """A record, and the signatures for it.

        Args:
            batch: that is said to be good.
            places: how many sign, about; None: all.
            but: entries that don't.
            alone: only entries that hold one place.
        """
        entries, seed = self.list_of(batch), self.audit_seed(batch)
        held = self._some(places_of(entries, seed, batch.id, self.panel), places, but, alone)
        digest = self.domain.digest(PanelAudit(batch.id, seed).struct_hash())
        keys = tuple(entries[entry].key for entry in held)
        return Record(seed, keys), self.sign(digest, entries, held)

    def verdict(
        self,
        batch: Committed,
        index: int,
        ruling: Ruling,
        dispute: Dispute = NO_DISPUTE,
        places: int | None = None,
        barred: Iterable[bytes] = (),
        alone: bool = False,
    ) -> dict[int, SignedPlaces]:
        """The signatures for a ruling in an open case; see audited."""
        key = case_id(batch.id, index, dispute)
        _, seed_block, epoch, _ = self.read("caseOf", key)
        entries, seed = self.lists[epoch], self.seed(seed_block)
        but = [number for number, one in enumerate(entries) if one.key in set(barred)]
        held = places_of(entries, seed, key, self.quorums.judges)
        held = self._some(held, places, but, alone)
        digest = self.domain.digest(PanelVerdict(key, seed, ruling).struct_hash())
        return self.sign(digest, entries, held)

    def audit(
        self, batch: Committed, signed: dict[int, SignedPlaces], pre_image: Any = None
    ) -> Mined:
        model = batch_model(batch, self.chain)
        return self.send(
            self.chain.accounts[9],
            "audit",
            pre_image or batch.pre_image(),
            model,
            pack_signatures(signed),
        )

    def appeal(
        self,
        sender: bytes,
        batch: Committed,
        index: int,
        record: Record = NO_RECORD,
        pre_image: Any = None,
    ) -> Mined:
        return self.send(
            *(sender, "appeal", pre_image or batch.pre_image(), batch.opening(index), record.abi())
        )

    def ruled(
        self,
        batch: Committed,
        index: int,
        ruling: Ruling,
        signed: dict[int, SignedPlaces],
        record: Record = NO_RECORD,
        pre_image: Any = None,
        sender: bytes | None = None,
    ) -> Mined:
        return self.send(
            *(sender or self.chain.accounts[9], "ruled", pre_image or batch.pre_image()),
            *(batch.opening(index), int(ruling), pack_signatures(signed), record.abi()),
        )

    def drawn(self, batch: Committed, record: Record) -> list[int]:
        return draw(record.seed, batch.id, MIN_DRAWN, batch.batch.count)

    def _set_history_code(self, code: bytes) -> None:
        self.chain.w3.provider.make_request("anvil_setCode", [HISTORY, f"0x{code.hex()}"])

    def _some(
        self,
        held: dict[int, list[int]],
        places: int | None,
        but: Iterable[int],
        alone: bool = False,
    ) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for entry, of in held.items():
            if entry in set(but) or (alone and len(of) > 1):
                continue
            if places is not None and sum(map(len, found.values())) >= places:
                break
            found[entry] = of
        return found


def batch_model(batch: Committed, chain: Chain) -> tuple[bytes, bytes, bytes]:
    """`ModelRef` of a batch's model: as tests register it, by the network's owner."""
    owner = chain.registry.read("ownerOf", batch.batch.network_id)
    return bytes.fromhex(owner[2:]) if isinstance(owner, str) else owner, b"c" * 32, bytes(32)


def terms(**changes: Any) -> tuple[Any, ...]:
    """`PoolTerms` of the contract."""
    known = {
        "asset": "0x" + "00" * 20,
        "spec": SPEC,
        "replay": "0x" + "00" * 20,
        "seat_stake": SEAT_STAKE,
        "min_seats": 72,
        "panel": 9,
        "min_drawn": MIN_DRAWN,
        "seed_delay": SEED_DELAY,
        "exit_delay": EXIT_DELAY,
        "fee_per_leaf": FEE,
        "rule_fee": RULE_FEE,
    }
    return tuple((known | changes).values())


def deploy(chain: Chain, **changes: Any) -> Pool:
    """A pool without members; ContractError if its terms are refused."""
    contract = chain.deploy(
        "Pool", chain.w3.to_checksum_address(chain.registry.address), terms(**changes)
    )
    return Pool(chain, contract, changes.get("panel", 9))


def filled(pool: Pool, seats: Sequence[int]) -> Pool:
    """Member i gets seats[i] seats in the epoch that begins then."""
    for member, count in enumerate(seats):
        pool.fund(pool.member(member))
        if count:
            pool.enroll(member, count)
    pool.next_epoch()
    return pool
