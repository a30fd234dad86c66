"""Which rule gives what, its caps and versions."""
