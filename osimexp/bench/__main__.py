"""Run a benchmark: ``python -m osimexp.bench``, which is ``osimexp bench``."""

from osimexp.cli.bench import main

if __name__ == "__main__":
    main()
