"""The department's first page: what the county looks like today and what waits."""
