"""Which resolvers a network has: known by the hash of their code, or self-declared."""
