"""Fills printed forms with digits of people who never trained, photographs them, and measures how they are read."""
