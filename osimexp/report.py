"""Write a report: ``python -m osimexp.report``, which is ``osimexp report``."""

from osimexp.cli.report import main

if __name__ == "__main__":
    main()
