"""OpenGradient's own inferences: counted, audited, and brought in."""
