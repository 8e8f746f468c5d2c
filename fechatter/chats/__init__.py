"""The four kinds of chat: their rules, their members, and who may do what (`rights.py`)."""
