"""A limit for what a test waits for, far beyond what a machine that is busy needs."""

PATIENCE = 300.0
"""Seconds. A test waits for a condition, and goes on as soon as it holds."""
