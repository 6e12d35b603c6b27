"""A small classifier of handwritten digits: its data, its training, its file."""
