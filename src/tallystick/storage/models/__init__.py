"""Model files by their content: pushed to and pulled from stores, listed with their lineage."""
