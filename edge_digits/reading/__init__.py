"""From Predictions to a Reading: lines, numbers, and the picture with them drawn on."""
