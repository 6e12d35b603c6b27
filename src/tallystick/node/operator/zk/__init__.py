"""An operator's zk models: their answers proven in the background, committed with the proofs."""
