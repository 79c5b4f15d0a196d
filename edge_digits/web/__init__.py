"""The web page and the small HTTP API: the same reader, behind a guard, for a browser on this machine or a phone beside it."""
