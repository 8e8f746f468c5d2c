"""Metrics, health state and logs of the server."""
