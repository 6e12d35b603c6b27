"""Totals as they follow from tables of events."""
