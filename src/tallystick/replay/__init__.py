"""QI8-1: quantized models whose every answer is the same integers on every machine."""
