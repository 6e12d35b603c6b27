"""From a node's JSON-RPC to Parquet files of raw logs."""
