"""Draw a movement: ``python -m osimexp.render``, which is ``osimexp render``."""

from osimexp.cli.render import main

if __name__ == "__main__":
    main()
