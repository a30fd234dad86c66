"""What the office prints and takes away: the exchange ledger and the summary of points."""
