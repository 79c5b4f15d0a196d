"""A pile of scans into a table: files found, read by worker processes, journalled, written whole."""
