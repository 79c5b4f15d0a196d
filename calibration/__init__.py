"""The int8 bench: quantize a float model, judge one against the other, publish what passed. Needs onnx; never torch."""
