"""``python -m deploy`` is the ``gridmerit`` command, where no script of that name is installed."""

from deploy.cli import main

main()
