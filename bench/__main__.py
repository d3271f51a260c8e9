"""`make bench`: all that is measured here."""

import sys

from bench import sender

if __name__ == "__main__":
    sys.exit(sender.main())
