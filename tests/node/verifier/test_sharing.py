"""Members' signatures: what hostile members show is passed over."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tallystick.chain.committee import Committee
from tallystick.errors import TallystickError
from tallystick.node.verifier.sharing import (
    MAX_SIZE,
    Peers,
    SharedFolder,
    gathered,
    read,
    served,
)
from tallystick.protocol.committee import Audit
from tallystick.protocol.signature import sign
from tallystick.protocol.statement import Statement
from tests.node.verifier.bad_store import bad_store
from tests.node.verifier.stage import VERIFIERS, Stage, account
from tests.support.keys import KINDS, held

SAYS = Audit(b"b" * 32, 24, b"s" * 32)


@pytest.fixture
def committee(staged: Stage) -> Committee:
    return Committee(staged.chain.w3, staged.committee.address)


def signed(committee: Committee, *members: int, says: Audit = SAYS) -> Statement:
    statement = Statement(committee.domain, says)
    for member in members:
        key = bytes(account(VERIFIERS[member]).key)
        statement = statement.signed(member, sign(says.digest(committee.domain), key))
    return statement


def test_gathered__members__all_count(committee: Committee) -> None:
    together = gathered(
        signed(committee, 0), [signed(committee, 1), signed(committee, 2)], committee.members()
    )
    assert together == signed(committee, 0, 1, 2)


def test_gathered__forged_strange_or_other__passed_over(committee: Committee) -> None:
    own, good = signed(committee, 0), signed(committee, 1).signatures[1]
    others = [
        own.signed(1, sign(bytes(32), b"k" * 32)),
        own.signed(2, good),
        own.signed(9, good),
        own.signed(1, b""),
        own.signed(1, bytes(65)),
        signed(committee, 1, says=replace(SAYS, seed=bytes(32))),
        replace(signed(committee, 1), domain=replace(committee.domain, chain_id=1)),
    ]
    assert gathered(own, others, committee.members()) == own


def test_gathered__member_who_left__does_not_count(committee: Committee, staged: Stage) -> None:
    contract = staged.committee.contract
    staged.chain.transact(staged.chain.accounts[1], contract.functions.requestExit(1))
    own = signed(committee, 0)
    assert gathered(own, [signed(committee, 1)], committee.members()) == own


@pytest.mark.parametrize("kind", KINDS)
def test_gathered__key_of_any_kind__counts_until_its_signature_is_changed(
    committee: Committee, kind: str
) -> None:
    key, own = held(kind), signed(committee, 0)
    members = [committee.members()[0], replace(committee.members()[1], key=key.key)]
    good = key.sign(SAYS.digest(committee.domain))
    assert gathered(own, [own.signed(1, good)], members) == own.signed(1, good)
    assert gathered(own, [own.signed(1, good[::-1])], members) == own


def test_gathered__account_with_code__signs_by_its_key_only(
    committee: Committee, staged: Stage
) -> None:
    """Code at a member's address says nothing, on chain or here."""
    own, chain = signed(committee, 0), staged.chain
    wallet = chain.deploy("YesWallet").address
    code = "0x" + bytes(chain.w3.eth.get_code(wallet)).hex()
    member = chain.w3.to_checksum_address(committee.members()[1].key)
    with chain.isolated():
        chain.w3.provider.make_request("anvil_setCode", [member, code])
        assert gathered(own, [own.signed(1, b"yes")], committee.members()) == own
        assert gathered(own, [signed(committee, 1)], committee.members()) == signed(committee, 0, 1)


def test_folder__shown__is_seen_once(tmp_path: Path, committee: Committee) -> None:
    folder, digest = SharedFolder(tmp_path), SAYS.digest(committee.domain)
    folder.show(digest, 0, signed(committee, 0))
    folder.show(digest, 0, signed(committee, 1))
    assert folder.seen(digest) == [signed(committee, 0)]
    assert folder.seen(bytes(32)) == []


def test_folder__rubbish_beside__passed_over(tmp_path: Path, committee: Committee) -> None:
    folder, digest = SharedFolder(tmp_path), SAYS.digest(committee.domain)
    folder.show(digest, 0, signed(committee, 0))
    for name, content in (("1", b"{"), ("2", b"x" * (MAX_SIZE + 1)), ("3", b"[]"), ("4", b"")):
        (tmp_path / digest.hex() / f"{name}.json").write_bytes(content)
    assert folder.seen(digest) == [signed(committee, 0)]


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"\xff", b"[" * 60_000, b"1" * 10_000])
def test_read__no_statement__refused(body: bytes) -> None:
    with pytest.raises(TallystickError):
        read(body)


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_peers__one_good_among_bad__is_seen(committee: Committee) -> None:
    body = json.dumps(signed(committee, 1).to_json()).encode()
    with (
        bad_store("hanging") as hanging,
        bad_store("endless") as endless,
        bad_store("dripping") as dripping,
        bad_store("failing") as failing,
        answering(b"{") as rubbish,
        answering(body) as good,
    ):
        urls = [hanging, endless, dripping, failing, rubbish, "http://127.0.0.1:1", good]
        begun = time.monotonic()
        assert Peers(urls, timeout=0.5).seen(bytes(32)) == [signed(committee, 1)]
        assert time.monotonic() - begun < 1.5


def test_served__own_statements__and_nothing_else() -> None:
    client = TestClient(served({b"d" * 32: '{"a": 1}'}.get))
    assert client.get("/statements/0x" + (b"d" * 32).hex()).json() == {"a": 1}
    assert client.get("/statements/0x00").status_code == 404
    assert client.get("/statements/xyz").status_code == 422
    assert client.post("/statements/0x00").status_code == 405
