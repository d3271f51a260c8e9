"""`make bench`: runs all measurements, after `make build`."""

import sys

from bench import cold_start, guard, memory, sender

if __name__ == "__main__":
    statuses = [module.main() for module in (sender, guard, cold_start, memory)]
    sys.exit(max(statuses))
