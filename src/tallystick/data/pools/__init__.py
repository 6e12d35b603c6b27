"""Pools that rules name: their seats and audits, from the chain into a data folder and out."""
