"""What others than the operator do to a batch, and the answers; each checked before it is sent."""
