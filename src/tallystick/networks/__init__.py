"""Networks that live elsewhere, each by an adapter: what they claim beside what can be checked."""
