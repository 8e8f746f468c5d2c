"""The audit log: every administrative act, written in the transaction that does it, and bounded by `audit_days`."""
