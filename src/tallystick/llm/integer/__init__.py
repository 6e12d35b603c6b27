"""LLM-I8: transformers in integers, whose answers are equal on every machine."""
