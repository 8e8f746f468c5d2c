"""Backups: one file of everything, made beside a running server, and a new database from it on either engine."""
