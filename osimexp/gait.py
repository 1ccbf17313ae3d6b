"""Measure a gait: ``python -m osimexp.gait``, which is ``osimexp gait``."""

from osimexp.cli.gait import main

if __name__ == "__main__":
    main()
