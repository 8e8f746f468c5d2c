"""Hashes of passwords for tests that are about something else."""

from argon2 import PasswordHasher

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A thousandth of what the server's own cost; they are verified like them."""
