"""Standing of a network's resolvers: known by code and terms on chain, or self-declared."""
