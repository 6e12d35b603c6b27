"""From stores of batch data to a table of inferences: who asked for what."""
