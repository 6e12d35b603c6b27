"""Random actions of a pool's members, operators and appellants, and of those who convict them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tallystick.chain.pool import Standing
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.enums import Cause, Ruling, State
from tallystick.protocol.keccak import keccak256
from tests.invariant import actions, hostile
from tests.invariant import model as plain
from tests.invariant.choices import Action, in_window, pending, place_of, sound
from tests.invariant.claims import forged
from tests.invariant.commits import commit
from tests.invariant.machine import ACCOUNTS, OWNER, Machine
from tests.invariant.money import deposit, stake, sweep, unstake, withdraw
from tests.invariant.pool_contract import KEYS
from tests.invariant.pool_machine import MEMBERS, SEAT_STAKE, PoolMachine
from tests.invariant.pool_model import (
    EPOCH,
    KNOWN_BLOCKS,
    LISTS,
    MOST_SEATS,
    CaseKey,
    PoolModel,
    Record,
    Signed,
)
from tests.invariant.pool_networks import BY_REPLAY, QUICK, SLOW

Move = Callable[[PoolMachine], object]


def of_pool(move: Move) -> Action:
    """An action that needs a machine with a pool."""

    def moving(machine: Machine) -> None:
        assert isinstance(machine, PoolMachine)
        move(machine)

    moving.__name__ = move.__name__
    return moving


def said(machine: PoolMachine, batch: plain.Batch) -> plain.Claim:
    """What the caller says of a batch: mostly the truth."""
    claim = batch.claim()
    if machine.choose.random() < 0.05:
        claim = replace(forged(machine, claim), dirt=0)
    return claim


def given(machine: PoolMachine, batch: plain.Batch) -> Record | None:
    """The record that the caller names: mostly the batch's."""
    choose, records = machine.choose, machine.pool_model.records
    record = records.get(batch)
    if choose.random() >= 0.05:
        return record
    if record is not None and choose.random() < 0.5:
        return replace(record, keys=record.keys[1:] or (OWNER,))
    return choose.choice([None, *records.values()])


# Time


@of_pool
def wait(machine: PoolMachine) -> None:
    """Let time and blocks pass, often to where something changes."""
    choose, model = machine.choose, machine.pool_model
    blocks = choose.choice([1, 9, 9, 9, 30])
    seeds = [one.seed_block for one in model.cases.values()]
    seeds += [batch.block + machine.pool.terms.seed_delay for batch in machine.batches[-6:]]
    if seeds and choose.random() < 0.06:
        known = choose.choice(seeds) + choose.choice([0, 1, KNOWN_BLOCKS, KNOWN_BLOCKS + 1])
        blocks = max(known - machine.world.block, 1)
    kind = choose.choices(["batch", "little", "epoch", "stake", "notice"], [20, 66, 9, 3, 2])[0]
    edges = {
        "batch": [
            edge
            for batch in machine.batches[-8:]
            for edge in (batch.due, batch.closes_at, batch.closes_at + plain.HOUR)
        ],
        "little": [machine.now + choose.choice([1, 10, 300])],
        "epoch": [(machine.now // EPOCH + 1) * EPOCH],
        "stake": [model.leaves_at(one) for one in model.members.values() if one.seats],
        "notice": [one.notice_at + EPOCH for one in model.escrows.values() if one.notice_at],
    }[kind]
    edges = [edge + shift for edge in edges for shift in (-1, 0, 1) if edge + shift > machine.now]
    until = machine.now + choose.choice([1, 10, 300])
    if edges:
        until = min(edges) if choose.random() < 0.6 else choose.choice(edges)
    epoch = until // EPOCH
    if epoch > machine.now // EPOCH and choose.random() < 0.95:
        # Whoever is to be in that epoch's list comes in the one before.
        machine.world.wait(max(machine.now, (epoch - 1) * EPOCH))
        _muster(machine)
    machine.world.wait(until, blocks)


@of_pool
def muster(machine: PoolMachine) -> None:
    """Have everybody enrol who may; the next epoch begins."""
    _muster(machine)
    if machine.choose.random() < 0.3:
        machine.world.wait((machine.now // EPOCH + 1) * EPOCH)


def _muster(machine: PoolMachine) -> None:
    model, choose = machine.pool_model, machine.choose
    members = sum(member.seats > 0 for member in model.members.values())
    for key in KEYS:
        member = model.members[key]
        barred = member.standing in (Standing.CLOSED, Standing.CONVICTED)
        if barred or member.last_epoch > machine.now // EPOCH or choose.random() < 0.03:
            continue
        more = choose.choice([0, 0, 3])
        if not member.seats:
            if members >= MEMBERS:
                continue
            more, members = choose.randint(4, 14), members + 1
        if model.credits[key] < more * SEAT_STAKE:
            machine.pool_deposit(choose.choice(ACCOUNTS), key, 2 * more * SEAT_STAKE)
        new = member.standing is Standing.FREE
        machine.enroll(key, more, choose.choice([key, *ACCOUNTS]) if new else member.account)


# Money and seats


def _account(machine: PoolMachine) -> bytes:
    return machine.choose.choice([*ACCOUNTS, *KEYS[:4]])


@of_pool
def pool_deposit(machine: PoolMachine) -> None:
    choose = machine.choose
    amount = choose.choice([0, 1, 99, 1500, 4000])
    coins = None
    if choose.random() < 0.05:
        coins = amount + 1
    machine.pool_deposit(choose.choice(ACCOUNTS), choose.choice([*ACCOUNTS, *KEYS]), amount, coins)


@of_pool
def pool_withdraw(machine: PoolMachine) -> None:
    choose, model = machine.choose, machine.pool_model
    account = _account(machine)
    amount = choose.choice([0, 1, 40, model.credits[account] + 1, 2**256 - 1])
    _withdraw(machine, account, amount)


def _withdraw(machine: PoolMachine, account: bytes, amount: int) -> bool:
    asset, model = machine.pool.terms.asset, machine.pool_model

    def paid() -> None:
        if asset != ZERO_ADDRESS:
            machine.holds[asset][account] += amount - machine.model.fee(asset, amount)

    return machine.pool_both(
        "withdraw from the pool",
        lambda: model.withdraw(account, amount),
        *(account, "withdraw", amount),
        then=paid,
    )


@of_pool
def pool_sweep(machine: PoolMachine) -> None:
    machine.pool_both("sweep of the pool", machine.pool_model.sweep, ACCOUNTS[3], "sweep")


@of_pool
def enroll(machine: PoolMachine) -> None:
    choose = machine.choose
    more = choose.choice([0, 0, 1, 4, 4, 9, MOST_SEATS, MOST_SEATS + 1, 2**256 - 1])
    key = choose.choice([*KEYS, *KEYS, choose.choice(ACCOUNTS)])
    account = machine.pool_model.members[key].account
    if choose.random() < 0.15:
        account = choose.choice([ZERO_ADDRESS, key, ACCOUNTS[0]])
    machine.enroll(key, more, account)


def _member(machine: PoolMachine) -> tuple[bytes, bytes]:
    """A key, and who speaks for it: mostly its account."""
    members = [key for key, member in machine.pool_model.members.items() if member.seats]
    key = machine.choose.choice([*members, machine.choose.choice(KEYS)])
    account = machine.pool_model.members[key].account
    if account == ZERO_ADDRESS or machine.choose.random() < 0.1:
        account = _account(machine)
    return key, account


@of_pool
def close_key(machine: PoolMachine) -> None:
    key, sender = _member(machine)
    machine.pool_both(
        "close a key", partial(machine.pool_model.close, sender, key), sender, "close", key
    )


@of_pool
def leave(machine: PoolMachine) -> None:
    key, sender = _member(machine)
    due = [
        one
        for one, member in machine.pool_model.members.items()
        if member.seats and machine.pool_model.leaves_at(member) <= machine.now
    ]
    if due and machine.choose.random() < 0.6:
        key = machine.choose.choice(due)
        sender = machine.pool_model.members[key].account
    _leave(machine, sender, key)


def _leave(machine: PoolMachine, sender: bytes, key: bytes) -> bool:
    return machine.pool_both(
        "leave",
        lambda: machine.pool_model.leave(sender, key, machine.now),
        *(sender, "leave", key),
    )


@of_pool
def collect(machine: PoolMachine) -> None:
    key = machine.choose.choice([*KEYS, ACCOUNTS[0]])
    _collect(machine, key)


def _collect(machine: PoolMachine, key: bytes) -> bool:
    return machine.pool_both(
        "collect", lambda: machine.pool_model.collect(key), ACCOUNTS[3], "collect", key
    )


# Escrow


@of_pool
def fund(machine: PoolMachine) -> None:
    operator = _account(machine)
    most = machine.pool_model.credits[operator]
    machine.fund(operator, machine.choose.choice([0, 200, 200, most + 1, 2**128 - 1]))


@of_pool
def notice(machine: PoolMachine) -> None:
    operator = _account(machine)
    machine.pool_both(
        "notice", lambda: machine.pool_model.notice(operator, machine.now), operator, "notice"
    )


@of_pool
def defund(machine: PoolMachine) -> None:
    operator = _account(machine)
    due = [one for one, escrow in machine.pool_model.escrows.items() if escrow.notice_at]
    if due and machine.choose.random() < 0.7:
        operator = machine.choose.choice(due)
    _defund(machine, operator)


def _defund(machine: PoolMachine, operator: bytes) -> bool:
    return machine.pool_both(
        "defund", lambda: machine.pool_model.defund(operator, machine.now), operator, "defund"
    )


# Audits and cases


@of_pool
def slip_away(machine: PoolMachine) -> None:
    """A signer goes as soon as it may; just before, a case is opened on what it signed."""
    choose, model = machine.choose, machine.pool_model
    signers = [
        (record, key)
        for record in model.records.values()
        for key in record.keys
        if model.members[key].seats and record.batch.network in (QUICK, SLOW)
    ]
    if not signers:
        return
    record, key = choose.choice(signers[-20:])
    member = model.members[key]
    if member.standing is Standing.ACTIVE:
        machine.pool_both(
            "close a key",
            partial(model.close, member.account, key),
            *(member.account, "close", key),
        )
    due = model.leaves_at(member)
    until = due - choose.choice([1, 3600, 2 * EPOCH // 7])
    if until // EPOCH > machine.now // EPOCH:
        machine.world.wait(max(machine.now, (until // EPOCH - 1) * EPOCH), 9)
        _muster(machine)
    if until > machine.now:
        machine.world.wait(until, 9)
    # Too early, whatever it is by.
    _leave(machine, member.account, key)
    known = [one for one in sorted(record.drawn) if one < len(record.batch.leaves)]
    if known:
        claim, payer = record.batch.claim(), choose.choice(ACCOUNTS)
        _appeal(machine, payer, claim, choose.choice(known), record)
    for at in (due, model.leaves_at(member) - 1, model.leaves_at(member)):
        machine.world.wait(max(machine.now, at), 1)
        _leave(machine, member.account, key)


def _auditable(machine: PoolMachine, batch: plain.Batch) -> bool:
    model, block = machine.pool_model, machine.world.block
    known = model.is_known(batch.block + machine.pool.terms.seed_delay, block)
    in_time = batch.state is State.DISPUTED or in_window(machine, batch)
    ours = batch.network in (QUICK, SLOW, BY_REPLAY) or machine.choose.random() < 0.1
    return in_time and known and batch not in model.records and ours


def _some(
    machine: PoolMachine, fits: Callable[[PoolMachine, plain.Batch], bool]
) -> plain.Batch | None:
    """A batch that fits, as long as there is one; now and then any."""
    choose = machine.choose
    fitting = [batch for batch in machine.batches[-40:] if fits(machine, batch)]
    if fitting and choose.random() < 0.9:
        return choose.choice(fitting)
    if not machine.batches or choose.random() < 0.7:
        return None
    return choose.choice(machine.batches[-20:])


def _convicted(machine: PoolMachine) -> set[bytes]:
    """Keys that are asked for no signature any more, mostly."""
    if machine.choose.random() < 0.15:
        return set()
    members = machine.pool_model.members.items()
    return {key for key, member in members if member.standing is Standing.CONVICTED}


@of_pool
def audit(machine: PoolMachine) -> None:
    choose, pool, model = machine.choose, machine.pool, machine.pool_model
    batch = _some(machine, _auditable)
    if batch is None:
        return
    claim = said(machine, batch)
    seed_block, batch_id = claim.block + pool.terms.seed_delay, machine.batch_of(claim).id()
    chance = pool.chance(seed_block, batch_id)
    entries = model.lists.get(claim.committed_at // EPOCH, [])
    needed = pool.terms.audit_places
    signed = pool.signed(choose, entries, pool.terms.panel, needed, chance, _convicted(machine))
    named = choose.random() < 0.97
    sender, content = choose.choice(ACCOUNTS), ZERO32 if named else keccak256(ZERO32)
    drawn = machine.drawn(claim, seed_block)
    machine.pool_both(
        "audit by the pool",
        lambda: model.audit(
            sender, claim, named, signed, chance, drawn, machine.now, machine.world.block
        ),
        *(sender, "audit", machine.pre_image(claim).abi(), (OWNER, content, ZERO32)),
        pool.packed(pool.audit_digest(batch_id, seed_block), signed),
    )


def _judged(machine: PoolMachine, batch: plain.Batch) -> bool:
    rules = machine.model.rules_of(batch.network)
    reason = batch.state is State.DISPUTED or batch in machine.pool_model.records
    return rules.arbiter == machine.pool.address and reason


@of_pool
def appeal(machine: PoolMachine) -> None:
    choose = machine.choose
    batch = _some(machine, _judged)
    if batch is None:
        return
    claim, record, payer = said(machine, batch), given(machine, batch), choose.choice(ACCOUNTS)
    place, good = place_of(machine, batch), sound(machine)
    disputed = batch.state is State.DISPUTED
    if disputed and choose.random() < 0.4:
        place = min(batch.place, len(batch.leaves) - 1)
    elif record is not None:
        # Drawn ones of any batch; of one that is disputed also the others.
        drawn = not disputed or choose.random() < 0.4
        places = range(len(batch.leaves))
        known = [one for one in places if (one in record.drawn) is drawn]
        place = choose.choice(known) if known and choose.random() < 0.9 else place
    _appeal(machine, payer, claim, place, record, good)


def _appeal(
    machine: PoolMachine,
    payer: bytes,
    claim: plain.Claim,
    place: int,
    record: Record | None,
    good: bool = True,
) -> bool:
    model = machine.pool_model

    def opened() -> None:
        _, key = model._asked(claim, place)
        machine.case_ids[key] = machine.case_id(claim, key)
        machine.pool.seed(model.cases[key].seed_block)

    return machine.pool_both(
        "appeal",
        lambda: model.appeal(payer, claim, place, good, record, machine.now, machine.world.block),
        *(payer, "appeal", machine.pre_image(claim).abi()),
        machine.opening(claim.batch, place, good),
        machine.record_abi(record),
        then=opened,
    )


def _open_case(machine: PoolMachine) -> CaseKey | None:
    """A case, mostly one that can be ruled."""
    model, choose = machine.pool_model, machine.choose
    cases = list(model.cases)
    ready = [
        key
        for key, one in model.cases.items()
        if model.is_known(one.seed_block, machine.world.block)
        # One epoch more than there is a list for.
        and one.epoch + LISTS >= machine.now // EPOCH
    ]
    if ready and choose.random() < 0.9:
        return choose.choice(ready)
    return choose.choice(cases) if cases and choose.random() < 0.2 else None


@of_pool
def ruled(machine: PoolMachine) -> None:
    choose, key = machine.choose, _open_case(machine)
    if key is None:
        return
    batch, place, _ = key
    if choose.random() < 0.02:
        place = place_of(machine, batch)
    wanted = [Ruling.REJECTED] * 6 + [Ruling.UPHELD] * 5 + [Ruling.UNDECIDED]
    _rule(machine, batch, place, choose.choice(wanted))


@of_pool
def frame(machine: PoolMachine) -> None:
    """Have a leaf rejected that the auditors of its batch did not draw: none of them may burn."""
    choose, records = machine.choose, machine.pool_model.records
    found = [
        (batch, place)
        for batch in machine.batches[-40:]
        if batch in records and batch.network in (QUICK, SLOW) and in_window(machine, batch)
        for place in range(len(batch.leaves))
        if place not in records[batch].drawn
    ]
    if not found:
        return
    batch, place = choose.choice(found)
    claim, party = batch.claim().undisputed(), choose.choice(ACCOUNTS)
    if actions.demand_of(machine, party, claim, 0, with_bytes=False) and _appeal(
        machine, party, batch.claim(), place, records[batch]
    ):
        machine.world.wait(machine.now + 5, machine.pool.terms.seed_delay + 1)
        _rule(machine, batch, place, Ruling.REJECTED)


def _rule(machine: PoolMachine, batch: plain.Batch, place: int, ruling: Ruling) -> None:
    choose, model, pool = machine.choose, machine.pool_model, machine.pool
    claim, record, good = said(machine, batch), given(machine, batch), sound(machine)
    found, case = model.case_of(claim, place)
    case_id = machine.case_id(claim, found)
    seed_block, epoch = (case.seed_block, case.epoch) if case else (0, 0)
    chance = pool.chance(seed_block, case_id)
    signed = Signed(())
    if case is not None:
        entries, needed = model.lists.get(epoch, []), pool.terms.needed(ruling)
        barred = {*_convicted(machine), *(record.keys if record else ())}
        signed = pool.signed(choose, entries, pool.terms.judges, needed, chance, barred)
    sender = case.payer if case and choose.random() < 0.5 else choose.choice(ACCOUNTS)
    done = machine.pool_both(
        f"ruled {ruling.name}",
        lambda: model.ruled(
            *(sender, claim, place, good, ruling, signed, chance, record),
            *(machine.now, machine.world.block),
        ),
        *(sender, "ruled", machine.pre_image(claim).abi(), machine.opening(batch, place, good)),
        int(ruling),
        pool.packed(pool.verdict_digest(case_id, seed_block, ruling), signed),
        machine.record_abi(record),
    )
    if done:
        leaf = batch.leaves[place].abi_leaf()
        inference = (machine.model_of(batch.network), batch.operator, *leaf)
        machine.pool_checks.undecided(machine.id(batch), inference, place)


@of_pool
def expire(machine: PoolMachine) -> None:
    choose, model = machine.choose, machine.pool_model
    keys = [key for key, case in model.cases.items() if case.seed_block < machine.world.block]
    if not machine.case_ids:
        return
    key = choose.choice(keys or list(machine.case_ids))
    if keys and choose.random() < 0.5:
        # The block in which the hash is gone, or the one before.
        gone = model.cases[key].seed_block + KNOWN_BLOCKS + choose.choice([0, 1, 1])
        machine.world.wait(machine.now + 1, max(gone - machine.world.block, 1))
    elif choose.random() < 0.1:
        key = choose.choice(list(machine.case_ids))
    _expire(machine, key)


def _expire(machine: PoolMachine, key: CaseKey) -> bool:
    return machine.pool_both(
        "expire",
        lambda: machine.pool_model.expire(key, machine.world.block),
        *(ACCOUNTS[3], "expire", machine.case_ids[key]),
    )


def _convictable(machine: PoolMachine, batch: plain.Batch) -> bool:
    return batch in machine.pool_model.records and batch.cause is not Cause.NONE


@of_pool
def reject(machine: PoolMachine) -> None:
    """Have the objective arbiter reject a batch that is on record."""
    batch = _some(
        machine,
        lambda one, batch: (
            batch.network == BY_REPLAY and batch in one.pool_model.records and pending(one, batch)
        ),
    )
    if batch is not None:
        prover, place = machine.choose.choice(ACCOUNTS), place_of(machine, batch)
        actions.disprove_of(machine, prover, batch.claim(), place, good=True, says=Ruling.REJECTED)


@of_pool
def convict(machine: PoolMachine) -> None:
    choose, model = machine.choose, machine.pool_model
    over = [batch for batch in model.records if _convictable(machine, batch)]
    batch = _some(machine, _convictable)
    if over and choose.random() < 0.5:
        batch = choose.choice(over[-6:])
    if batch is None:
        return
    claim, record, finder = said(machine, batch), given(machine, batch), choose.choice(ACCOUNTS)
    machine.pool_both(
        "convict by the pool",
        lambda: model.convict(finder, claim, record),
        *(finder, "convict", machine.batch_of(claim).abi(), machine.record_abi(record)),
    )


@of_pool
def donate(machine: PoolMachine) -> None:
    """Give the pool its asset around deposit: nobody's, and no harm."""
    amount, asset, at = machine.choose.randrange(1, 100), machine.pool.terms.asset, machine.pool
    if asset == ZERO_ADDRESS:
        machine.world.give(at.address, machine.world.balance(at.address) + amount)
        machine.donated += amount
        return
    account = machine.choose.choice(ACCOUNTS)
    if machine.holds[asset][account] >= amount:
        machine.token(account, asset, b"transfer(address,uint256)", at.address, amount)
        machine.holds[asset][account] -= amount
        machine.donated += amount - machine.model.fee(asset, amount)


OF_CORE: dict[Action, int] = {
    commit: 26,
    actions.challenge: 9,
    actions.demand: 6,
    actions.reveal: 5,
    actions.timeout: 2,
    actions.attest: 3,
    actions.resolve: 3,
    actions.lapse: 3,
    actions.disprove: 3,
    actions.fault_order: 6,
    actions.fault_repeat: 3,
    actions.fault_deadline: 5,
    actions.finalize: 8,
    actions.archive: 2,
    deposit: 3,
    withdraw: 2,
    stake: 3,
    unstake: 1,
    sweep: 1,
    hostile.forge: 1,
    hostile.shield: 1,
}
OF_POOL: dict[Action, int] = {
    wait: 45,
    muster: 2,
    audit: 24,
    appeal: 14,
    ruled: 30,
    expire: 3,
    reject: 2,
    slip_away: 2,
    frame: 4,
    convict: 6,
    pool_deposit: 6,
    pool_withdraw: 3,
    pool_sweep: 1,
    enroll: 4,
    close_key: 1,
    leave: 3,
    collect: 3,
    fund: 5,
    notice: 1,
    defund: 2,
    donate: 1,
}
"""How often each is tried."""


def end(machine: PoolMachine) -> list[bool]:
    """End all cases and pay everybody; return whether each step was done."""
    model: PoolModel = machine.pool_model
    latest = max((model.leaves_at(one) for one in model.members.values()), default=machine.now)
    for operator in list(model.escrows):
        machine.pool_both(
            "notice", partial(model.notice, operator, machine.now), operator, "notice"
        )
    until = max(latest, machine.now + EPOCH)
    machine.world.wait(until, KNOWN_BLOCKS + machine.pool.terms.seed_delay + 1)
    done = [_expire(machine, key) for key in list(model.cases)]
    for key, member in list(model.members.items()):
        if member.seats:
            done.append(_leave(machine, member.account, key))
        if member.earned:
            done.append(_collect(machine, key))
    done += [_defund(machine, operator) for operator in list(model.escrows)]
    done += [_withdraw(machine, one, credit) for one, credit in list(model.credits.items())]
    if model.burned and machine.pool.terms.asset not in machine.model.refusing:
        done.append(machine.pool_both("sweep of the pool", model.sweep, ACCOUNTS[3], "sweep"))
    return done
