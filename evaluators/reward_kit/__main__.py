"""`python -m reward_kit` is `reward-kit`."""

import sys

from .cli import main

sys.exit(main())
