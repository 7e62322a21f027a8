"""ONNX models, read as graphs: the package onnx is needed, and no runtime."""
