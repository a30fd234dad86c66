"""Shops, agreements, products, dated prices, stock."""
