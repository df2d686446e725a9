from __future__ import annotations

import sys

from channels_lts.interface.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
