"""Backups: everything in one file, made beside a running server and restored on either engine."""
