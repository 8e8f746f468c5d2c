"""Data that may be dropped at any time: the gateway's cache of responses."""
