"""Reading and writing office files: Excel, CSV, print pages."""
