"""What every page and API answer has in common."""
