"""Seals of a pool's panel: what a stranger may show, and what is taken from it.

gathered   of another panel, key, seed | forged proof | another signature than the sealed one
           an equivocating key | a barred one | an open audit in a case
opening    too few places sealed | enough
exchange   a peer that answers without end, garbage, or nothing | a folder with others' files
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tallystick.chain.signer import KeySigner
from tallystick.node.verifier.pool.exchange import SealFolder, SealPeers
from tallystick.node.verifier.pool.seal import (
    MAX_SIZE,
    Seal,
    SealError,
    complete,
    gathered,
    may_open,
    sealed,
)
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.panel import Panel
from tallystick.protocol.pool import Quorums, domain_of, listed
from tests.node.verifier.stage import account

SIGNERS = [KeySigner(account(number)) for number in range(4)]
ENTRIES = listed([(one.address, 25) for one in SIGNERS[:3]])
SEED, BATCH = keccak256(b"seed"), keccak256(b"batch")
DOMAIN = domain_of(1, b"p" * 20)


def drawn(is_audit: bool = True, panel_id: bytes = BATCH, seed: bytes = SEED) -> Panel:
    return Panel.drawn(DOMAIN, panel_id, seed, Quorums.of(9), ENTRIES, is_audit)


AUDIT, CASE = drawn(), drawn(is_audit=False)


def test_gathered__colleagues_open_seals__kept_by_entry() -> None:
    seals = [sealed(AUDIT, one) for one in SIGNERS[:3]]

    found = gathered(AUDIT, seals)

    assert sorted(found) == sorted(AUDIT.places)
    assert all(one.signature for one in found.values())


@pytest.mark.parametrize("other", [{"panel_id": b"x" * 32}, {"seed": b"x" * 32}])
def test_gathered__seal_of_another_panel__left_out(other: dict[str, bytes]) -> None:
    foreign = drawn(**other)  # type: ignore[arg-type]

    assert gathered(AUDIT, [sealed(foreign, SIGNERS[0])]) == {}


def test_gathered__another_panels_seal_renamed__left_out() -> None:
    foreign = sealed(drawn(panel_id=b"x" * 32), SIGNERS[0])

    assert gathered(AUDIT, [replace(foreign, panel_id=BATCH)]) == {}


def test_gathered__key_without_a_seat__left_out() -> None:
    assert gathered(AUDIT, [sealed(AUDIT, SIGNERS[3])]) == {}


def test_gathered__seal_made_up_for_a_colleague__left_out() -> None:
    made_up = replace(sealed(AUDIT, SIGNERS[3]), key=SIGNERS[0].address)

    assert gathered(AUDIT, [made_up]) == {}


def test_gathered__another_signature_than_the_sealed_one__stays_closed() -> None:
    upheld, rejected = (sealed(CASE, SIGNERS[0], one) for one in (Ruling.UPHELD, Ruling.REJECTED))
    swapped = replace(upheld, ruling=rejected.ruling, signature=rejected.signature)

    (found,) = gathered(CASE, [swapped]).values()

    assert found == upheld.closed


def test_gathered__ruling_renamed__stays_closed() -> None:
    upheld = sealed(CASE, SIGNERS[0], Ruling.UPHELD)

    (found,) = gathered(CASE, [replace(upheld, ruling=Ruling.REJECTED)]).values()

    assert not found.signature


def test_gathered__two_seals_of_one_key__the_first_counts() -> None:
    first, second = (sealed(CASE, SIGNERS[0], one) for one in (Ruling.UPHELD, Ruling.REJECTED))

    (found,) = gathered(CASE, [first.closed, second]).values()

    assert found == first.closed


def test_gathered__closed_and_later_open__open() -> None:
    own = sealed(AUDIT, SIGNERS[0])

    assert list(gathered(AUDIT, [own.closed, own]).values()) == [own]


def test_gathered__barred_key__left_out() -> None:
    own = sealed(CASE, SIGNERS[0], Ruling.UPHELD)

    assert gathered(CASE, [own], [SIGNERS[0].address]) == {}


def test_may_open__places_of_one_key_and_of_all__only_from_k_on() -> None:
    seals = gathered(AUDIT, [sealed(AUDIT, one).closed for one in SIGNERS[:3]])
    one = {entry: seal for entry, seal in seals.items() if len(AUDIT.places[entry]) < 5}

    assert may_open(AUDIT, seals)
    for entry, seal in one.items():
        assert not may_open(AUDIT, {entry: seal})


def test_complete__closed_seals__none() -> None:
    seals = gathered(AUDIT, [sealed(AUDIT, one).closed for one in SIGNERS[:3]])

    assert complete(AUDIT, seals, Ruling.UNDECIDED) is None


def test_complete__who_disagrees__is_not_among_them() -> None:
    seals = gathered(
        CASE,
        [
            sealed(CASE, SIGNERS[0], Ruling.UPHELD),
            *(sealed(CASE, one, Ruling.REJECTED) for one in SIGNERS[1:3]),
        ],
    )
    two = CASE.count(CASE.entry_of(one.address) or 0 for one in SIGNERS[1:3])

    found = complete(CASE, seals, Ruling.REJECTED)

    assert (found is not None) == (two >= CASE.quorums.reject)
    assert complete(CASE, seals, Ruling.UPHELD) is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"panel": 1}', b"[" * 1500, b" " * (MAX_SIZE + 1)]
)
def test_from_json__garbage__seal_error(body: bytes) -> None:
    with pytest.raises(SealError):
        Seal.from_json(body)


def test_from_json__own_word__the_same_and_closed_hides_the_ruling() -> None:
    own = sealed(CASE, SIGNERS[0], Ruling.REJECTED)

    assert Seal.from_json(own.to_json()) == own
    assert b"ruling" not in own.closed.to_json()


@contextmanager
def peer(body: bytes, times: int = 1) -> Iterator[str]:
    """A member's node that answers everything alike."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(times):
                    self.wfile.write(body)
            except OSError:
                pass

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_seen__one_peer_good_others_not__the_good_one() -> None:
    good = sealed(AUDIT, SIGNERS[1])
    with (
        peer(b"x" * 4096, times=100_000) as endless,
        peer(b"{}") as garbage,
        peer(good.to_json()) as honest,
    ):
        found = SealPeers([endless, garbage, "http://127.0.0.1:1", honest]).seen(AUDIT)

    assert found == [good]


def test_seen__folder_with_a_strangers_files__colleagues_alone(tmp_path: Path) -> None:
    folder = SealFolder(tmp_path)
    own, strange = sealed(AUDIT, SIGNERS[0]), sealed(AUDIT, SIGNERS[3])
    folder.show(own.closed)
    folder.show(own)
    folder.show(strange)

    assert folder.seen(AUDIT) == [own]
