"""From a Frame to Tiles: page, ink, rules, glyphs, touching strokes, tiles."""
