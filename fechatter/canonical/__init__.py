"""Canonical forms of text, names, e-mail addresses, IP addresses and web origins: they are compared and stored like
this.
"""
