"""Compare runs: ``python -m osimexp.compare``, which is ``osimexp compare``."""

from osimexp.cli.compare import main

if __name__ == "__main__":
    main()
