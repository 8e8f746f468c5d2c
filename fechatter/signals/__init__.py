"""Signals: what people see of each other that is not an event. A signal has no number and may be lost."""
