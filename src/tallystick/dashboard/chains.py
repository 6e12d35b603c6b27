"""Names and symbols of chains, as evmchains 0.1.10 (PyPI) has them; a test compares."""

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
NAMES = {
    1: "Ethereum Mainnet",
    10: "OP Mainnet",
    56: "BNB Smart Chain Mainnet",
    100: "Gnosis",
    137: "Polygon Mainnet",
    324: "zkSync Mainnet",
    8453: "Base",
    42161: "Arbitrum One",
    43114: "Avalanche C-Chain",
    59144: "Linea",
    81457: "Blast",
    84532: "Base Sepolia Testnet",
    534352: "Scroll",
    11155111: "Ethereum Sepolia",
    31337: "Local chain",  # Anvil's own
}


def symbol(chain_id: int) -> str:
    """Return what a chain's currency is called beside an amount.

    >>> symbol(1), symbol(2)
    ('ETH', "of the chain's currency")
    """
    return SYMBOLS.get(chain_id, "of the chain's currency")


def chain_name(chain_id: int) -> str:
    """Return what a chain is called.

    >>> chain_name(8453), chain_name(2)
    ('Base', 'Chain 2')
    """
    return NAMES.get(chain_id, f"Chain {chain_id}")
