"""Prove the ledger: every invariant that the database can be asked about."""
