"""Is this installation sound, and if not, what to do about it: one screen of findings."""
