"""Probes of operators' HTTP endpoints, their log, and accessibility from it."""
