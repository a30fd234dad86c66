"""The pools: recommendation, warning, exit and admission, each a case of signed steps."""
