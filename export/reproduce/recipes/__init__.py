"""One file a published system, its source's settings in the header."""
