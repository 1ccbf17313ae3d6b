"""Find Chromium on this machine; as a program, print its path, or end with 1 where there is none.

It imports nothing but the standard library, so that it runs before anything is installed.
"""

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_chromium() -> str | None:
    """Return the browser's path: OSIMEXP_CHROMIUM, or one of its usual names."""
    given = os.environ.get("OSIMEXP_CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


if __name__ == "__main__":
    found = find_chromium()
    if found is None:
        sys.exit(1)
    print(found)
