"""Serves the built web client, with the headers that protect it."""
