"""One module per feature with the feature's commands; deploy/cli.py says which name is where."""
