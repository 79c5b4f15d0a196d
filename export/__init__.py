"""The workshop: networks, data, augmentation, training and ONNX export. The only torch in the repository; never installed."""
