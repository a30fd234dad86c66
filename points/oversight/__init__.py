"""What an auditor should look at: facts of a month that stand out, with the rows behind them."""
