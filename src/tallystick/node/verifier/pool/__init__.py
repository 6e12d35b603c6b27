"""A verifier's part in a pool of auditors."""
