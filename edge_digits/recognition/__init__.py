"""From Tiles to Predictions: the model file, the engine that runs it, the classifier, the decoding of hypotheses."""
