"""All tables of the points schema, gathered for Piccolo; each feature keeps its own."""

from points.mall.tables import Agreement, Price, Product, Shop

__all__ = ["Agreement", "Price", "Product", "Shop"]
