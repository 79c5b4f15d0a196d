"""Measurements of speed, memory and accuracy, each with the machine and the model that they belong to."""
