"""Symbols of chains' own currencies, as evmchains 0.1.10 (PyPI) has them; a test compares."""

SYMBOLS = {
    1: "ETH",
    10: "ETH",
    56: "BNB",
    100: "XDAI",
    137: "POL",
    324: "ETH",
    8453: "ETH",
    42161: "ETH",
    43114: "AVAX",
    59144: "ETH",
    81457: "ETH",
    84532: "ETH",
    534352: "ETH",
    11155111: "ETH",
    31337: "ETH",  # Anvil's own
}


def symbol(chain_id: int) -> str:
    """Return what a chain's currency is called beside an amount.

    >>> symbol(1), symbol(2)
    ('ETH', "of the chain's currency")
    """
    return SYMBOLS.get(chain_id, "of the chain's currency")
