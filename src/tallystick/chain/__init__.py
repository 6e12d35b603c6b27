"""Reads from a chain and transactions to it; only `ape_chain` and `ape_signer` need Ape."""
