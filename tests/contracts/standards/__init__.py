"""Facades that speak as drafts of standards do."""
