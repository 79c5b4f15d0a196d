"""Sheets whose layout is known: a template names fields, prints the sheet, finds them on a photograph and reads each."""
