"""Engines of language models: llama.cpp, bit-exact within a class of CPU kernels."""
