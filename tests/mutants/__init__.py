"""Faults put into the ledger on purpose; each must be noticed by the tests that are named."""
