"""Addresses as text in files and answers, for Pydantic."""

from typing import Annotated

from pydantic import AfterValidator, Field

from tallystick.protocol.hexes import ADDRESS, from_hex


def _checked(text: str) -> str:
    from_hex(text, ADDRESS, "it")
    return text


AddressText = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$"), AfterValidator(_checked)]
"""0x and 40 hex digits; in mixed case their checksum is right (ERC-55)."""
