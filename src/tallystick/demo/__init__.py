"""The demo: one story on a local chain, from register to totals, on a real model and real data."""
