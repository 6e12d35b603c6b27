"""The verifier: looks at every new batch, and acts on what it finds."""
