"""Signers: a keyfile, or an account of Ape."""

import os
import sys
from pathlib import Path
from typing import Any

import click
from web3 import Web3

from tallystick.actions.sent import SentJournal
from tallystick.chain.sender import SignerSender, Web3Sender
from tallystick.cli.command import CommandError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.text import parse_json

ACCOUNT = "TALLYSTICK_ACCOUNT"
PASSPHRASE = "TALLYSTICK_PASSPHRASE"
"""Environment variables: the account, and what opens it where it is a keyfile."""


def sender_of(account: str, w3: Web3, dry_run: bool = False) -> SignerSender:
    """Return an account as whoever signs and sends.

    Args:
        account: path of an encrypted keyfile (Web3 secret storage), or alias of an Ape account.
        w3: connected.
        dry_run: nothing will be signed.

    Raises:
        CommandError: it is neither, or the keyfile does not open.
        LockedAccountError: of Ape's keyfile, nobody is there to be asked for the passphrase, or the
            one in the environment is wrong.
    """
    path = Path(account).expanduser()
    if path.is_file():
        return Web3Sender(w3, _open(path), SentJournal())
    found = _of_ape(account)
    from tallystick.chain.ape_signer import ApeSigner
    from tallystick.chain.keyfile import has_passphrase, unlock

    if has_passphrase(found) or not (dry_run or sys.stdin.isatty()):
        unlock(found)
    return SignerSender(w3, ApeSigner(found), SentJournal())


def address_of(account: str) -> bytes:
    """Return the address of an account, 20 bytes: hex text, a keyfile, or one of Ape's."""
    if account.startswith("0x"):
        return from_hex(account, 20, "account")
    path = Path(account).expanduser()
    if path.is_file():
        return from_hex("0x" + str(_content(path)["address"]).removeprefix("0x"), 20, "address")
    return from_hex(str(_of_ape(account).address), 20, "address")


def _content(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(path.read_bytes())
    except ValueError as error:
        raise CommandError(f"{path} is no keyfile: {error}") from error
    if not isinstance(found, dict) or "address" not in found:
        raise CommandError(f"{path} is no keyfile: it names no address")
    return found


def _open(path: Path) -> Any:
    from eth_account import Account

    content, passphrase = _content(path), os.environ.get(PASSPHRASE)
    if passphrase is None:
        if not sys.stdin.isatty():
            raise CommandError(f"{path} is locked; needed: its passphrase in {PASSPHRASE}")
        passphrase = click.prompt(f"Passphrase of {path}", hide_input=True, err=True)
    try:
        return Account.from_key(Account.decrypt(content, passphrase))
    except (ValueError, KeyError, TypeError) as error:
        # What is under the error may quote the keyfile: it is not shown.
        raise CommandError(f"{path} is locked; the passphrase does not open it") from error


def _of_ape(alias: str) -> Any:
    try:
        from tallystick.chain.ape_chain import load_account
    except ModuleNotFoundError as error:
        raise CommandError(
            f"account {alias} is no file, and accounts of Ape need `pip install tallystick[ape]`"
        ) from error
    return load_account(alias)
