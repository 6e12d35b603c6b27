"""LLM-1: language models asked over the OpenAI API, and answers that one forward pass can check.

No module here runs a model or opens a file; docs/llm.md is the specification.
"""
