"""Films of sheets before a camera, with the truth of every number, and how the live reading does on them."""
