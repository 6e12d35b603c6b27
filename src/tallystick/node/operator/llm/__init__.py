"""Operator's part for language models: the OpenAI API in, signed answers out."""
