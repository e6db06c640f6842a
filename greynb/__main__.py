"""``python -m greynb``."""

import sys

from greynb.cli import main

sys.exit(main())
