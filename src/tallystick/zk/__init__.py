"""zk proofs by EZKL: setup, proofs, checks without a chain."""
