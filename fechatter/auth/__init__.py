"""Passwords, tokens, secrets and limits. Only `secrets.py` does I/O, in the folder of the secrets."""
