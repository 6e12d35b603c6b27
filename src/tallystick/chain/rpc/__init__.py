"""Nodes' JSON-RPC, whichever library speaks it: URLs, and the meaning of what nodes refuse."""
