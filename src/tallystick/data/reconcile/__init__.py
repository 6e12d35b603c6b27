"""Totals from events beside the contract's counters, at one block."""
