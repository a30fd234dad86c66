"""The monthly public sheet of a fund: issued, redeemed, stock, money."""
