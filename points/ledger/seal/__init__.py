"""What a worker can check alone: the daily root over the ledger, receipts, and their checker."""
