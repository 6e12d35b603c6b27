"""Actions on batches and stakes: calls checked against the ledger before anything is sent."""
