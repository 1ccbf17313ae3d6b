"""Keep a controller: ``python -m osimexp.keep``, which is ``osimexp keep``."""

from osimexp.cli.keep import main

if __name__ == "__main__":
    main()
