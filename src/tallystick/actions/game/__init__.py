"""The replay game's moves, by what the chain says of a challenge."""
