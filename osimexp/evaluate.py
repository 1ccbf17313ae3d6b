"""Evaluate a controller: ``python -m osimexp.evaluate``, which is ``osimexp evaluate``."""

from osimexp.cli.evaluate import main

if __name__ == "__main__":
    main()
