"""Show a movement as a page: ``python -m osimexp.view``, which is ``osimexp view``."""

from osimexp.cli.view import main

if __name__ == "__main__":
    main()
