"""For who asks for an inference: sign, ask, check the acknowledgement, wait for the receipt."""
