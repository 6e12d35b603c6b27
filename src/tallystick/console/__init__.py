"""The commands that need no Ape."""
