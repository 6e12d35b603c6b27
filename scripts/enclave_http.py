"""The command `ape tallystick enclave-http`, for `ape run enclave_http` in a checkout."""

from tallystick.ape.commands.enclave_http import cli

__all__ = ["cli"]
