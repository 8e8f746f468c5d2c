"""Exports a workspace as lines of JSON for other programs: people, chats and messages, without secrets."""
