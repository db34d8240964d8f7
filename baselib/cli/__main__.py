"""`python -m baselib.cli` is `baselib`."""

import sys

from baselib.cli import main

sys.exit(main())
