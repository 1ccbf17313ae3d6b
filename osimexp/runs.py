"""List runs: ``python -m osimexp.runs``, which is ``osimexp runs``."""

from osimexp.cli.runs import main

if __name__ == "__main__":
    main()
