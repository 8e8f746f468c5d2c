"""Data that may be dropped at any time: the answers that the gateway keeps."""
