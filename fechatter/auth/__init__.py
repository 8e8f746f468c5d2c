"""Passwords, tokens and the secrets behind them; no I/O but the secrets' folder."""
