"""The story of a language model, told by `make demo-llm`."""
