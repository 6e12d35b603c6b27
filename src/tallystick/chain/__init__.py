"""What talks to a chain; only `ape_sender` needs Ape."""
