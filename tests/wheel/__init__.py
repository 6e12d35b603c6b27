"""The wheel in an empty environment outside the checkout: `make wheel-test`."""
