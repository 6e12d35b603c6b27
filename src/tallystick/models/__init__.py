"""ONNX models: what they take and give, as canonical bytes, and which can't be judged."""
