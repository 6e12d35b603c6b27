"""The Python API: handles to a registry, its networks, models and batches.

Over the actions that the commands use; `tallystick.connect` is the way in.
"""
