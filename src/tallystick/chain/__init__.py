"""What talks to a chain: calls and their senders, reads, logs, deployment. None of it needs Ape but `ape_sender`."""
