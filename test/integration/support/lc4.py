"""limacharlie 4.x as it was published, against the server of LC_TEST_URL: `lc4.py cli ARGS...` is its command line, `lc4.py sdk` runs a
program from standard input and prints its `result`. 4.x has no setting for the address; it stands in two globals of a module."""
import json
import os
import sys

import limacharlie
from limacharlie.__main__ import cli

addresses = sys.modules["limacharlie.Manager"]
addresses.ROOT_URL = addresses.API_TO_JWT_URL = os.environ["LC_TEST_URL"]

if sys.argv[1] == "cli":
    sys.argv = ["limacharlie", *sys.argv[2:]]
    cli(sys.argv)
else:
    names = {"limacharlie": limacharlie, "man": limacharlie.Manager()}
    exec(sys.stdin.read(), names)
    print(json.dumps(names["result"]))
