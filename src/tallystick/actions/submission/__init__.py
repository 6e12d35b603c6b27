"""From a file of inferences to one committed batch and its receipts, once, whatever crashes."""
