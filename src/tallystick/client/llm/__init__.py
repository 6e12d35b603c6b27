"""For who asks language models: sign bodies, ask operators, check answers, keep receipts."""
