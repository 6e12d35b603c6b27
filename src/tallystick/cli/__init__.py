"""The `tallystick` command: what needs no account."""
