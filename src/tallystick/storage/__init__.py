"""Files that last, on disk or in a store: batch data, records, receipts, model files."""
