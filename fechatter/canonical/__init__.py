"""Canonical forms of text, names, e-mail addresses, IP addresses and web origins, for comparing and storing them."""
