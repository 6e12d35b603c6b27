"""The story's small classifier of digits, under a name that tests take it by."""

from tallystick.demo.proofs.classifier import images, write_mlp

__all__ = ["images", "write_mlp"]
