"""Processes that run on: an operator's, and a verifier's."""
