"""The contracts' twin in Python, without I/O: hashes, structs, events, and the ledger of them."""
