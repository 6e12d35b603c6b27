"""Keyfiles of Ape that sign without anybody at a terminal: their passphrase is in the environment.

The variable is Ape's own, APE_ACCOUNTS_<alias>_PASSPHRASE.
"""

import logging
import os
from typing import Any

from ape.exceptions import ApeException
from ape_accounts.accounts import KeyfileAccount

from tallystick.errors import LockedAccountError as LockedAccountError


def passphrase_variable(alias: str) -> str:
    """Return the name of the environment variable that holds an account's passphrase.

    >>> passphrase_variable("operator")
    'APE_ACCOUNTS_operator_PASSPHRASE'
    """
    return f"APE_ACCOUNTS_{alias}_PASSPHRASE"


def has_passphrase(account: Any) -> bool:
    """Return whether an account is a keyfile whose passphrase is in the environment."""
    return isinstance(account, KeyfileAccount) and bool(
        os.environ.get(passphrase_variable(account.alias))
    )


def unlock(account: Any) -> None:
    """Have an account sign transactions and messages without asking, as long as the process lives.

    Accounts that are no keyfiles stay as they are: hardware asks by itself.

    Args:
        account: of `ape.accounts`, loaded.

    Raises:
        LockedAccountError: the variable is not set, or its passphrase is another keyfile's.
    """
    if not isinstance(account, KeyfileAccount):
        return
    variable = passphrase_variable(account.alias)
    passphrase = os.environ.get(variable)
    if not passphrase:
        raise LockedAccountError(
            f"account {account.alias} is locked; needed: its passphrase in {variable}"
        )
    # Whoever sets the variable wants no question; Ape warns of that with every signature.
    logging.getLogger("ape").addFilter(_is_news)
    try:
        account.set_autosign(True, passphrase)
    except (ApeException, ValueError, KeyError, TypeError) as error:
        # What is under the error may quote the keyfile: it is not shown.
        raise LockedAccountError(
            f"account {account.alias} is locked; the passphrase in {variable} does not open "
            f"{account.keyfile_path}"
        ) from error


def _is_news(record: logging.LogRecord) -> bool:
    text = str(record.msg)
    return not text.startswith(("Using cached key", "Danger! This account will now sign"))
