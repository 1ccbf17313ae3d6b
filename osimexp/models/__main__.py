"""List the models: ``python -m osimexp.models``, which is ``osimexp models``."""

from osimexp.cli.models import main

if __name__ == "__main__":
    main()
