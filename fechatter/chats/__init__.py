"""The four kinds of chat: their rules, and their members."""
