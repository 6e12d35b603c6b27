"""Verified inference per network: hashes, trees, receipts and totals that match the contract's.

Modules directly under this package are pure: they import neither Ape nor web3. Bytes inside, hex
text only at the edges; amounts are integers in units of the network's asset (wei for the native
coin), times Unix seconds, windows seconds.
"""

__version__ = "0.1.0"
