"""Puts load on a server and measures it. Every load is bounded in time and number and runs in a separate process.

Callers are `fechatter bench`, `make figures` and `make claims`. A running server does not use this package.
"""
