"""The points service: rulebook, work records, ledger, mall, redemption, settlement."""
