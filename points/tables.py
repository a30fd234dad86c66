"""All tables of the points schema, gathered for Piccolo; each feature keeps its own."""
