"""What a network's resolvers are: known by code and terms on chain, or self-declared."""
