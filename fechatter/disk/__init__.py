"""Writes files that appear complete or not at all, and explains file errors."""
