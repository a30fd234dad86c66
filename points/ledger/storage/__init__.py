"""What keeps an old ledger quick: a partition a quarter, and the balances of closed months."""
