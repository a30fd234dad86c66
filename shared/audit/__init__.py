"""Append-only events, written inside the caller's transaction."""
