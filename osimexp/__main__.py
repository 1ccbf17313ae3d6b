"""Train a controller: ``python -m osimexp``, which is ``osimexp train``."""

from osimexp.cli.verbs import main

if __name__ == "__main__":
    main()
