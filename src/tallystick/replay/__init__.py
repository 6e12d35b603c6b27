"""QI8-1: quantised models whose every answer is the same integers on every machine."""
