"""Totals: a network's counters, and how they follow from tables of events."""

from tallystick.totals.counters import Totals

__all__ = ["Totals"]
