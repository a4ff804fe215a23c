"""A program of the limacharlie 5.x SDK, from standard input; prints its `result`. The addresses come from LC_API_URL and LC_JWT_URL."""
import json
import sys

from limacharlie.client import Client
from limacharlie.sdk.extensions import Extensions
from limacharlie.sdk.hive import Hive, HiveRecord
from limacharlie.sdk.organization import Organization
from limacharlie.sdk.sensor import Sensor

org = Organization(Client())
names = {"org": org, "ext": Extensions(org), "Client": Client, "Organization": Organization, "Sensor": Sensor, "Hive": Hive, "HiveRecord": HiveRecord}
exec(sys.stdin.read(), names)
print(json.dumps(names["result"]))
