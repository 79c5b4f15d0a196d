"""Makes pages of handwriting as people photograph them, with the truth of every digit."""
