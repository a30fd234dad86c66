"""All tables of the appraisal schema, gathered for Piccolo; each feature keeps its own."""
