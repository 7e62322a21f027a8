"""What ONNX's operators are as calls: one table."""
