"""Commands that send transactions, as a plugin of Ape."""
