"""Where the training data comes from, and how each set becomes glyphs."""
