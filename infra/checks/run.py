"""Writes the translated template to the path given, and says what no linter sees. Exits 1 on any fault."""

import json
import sys

from data import queues, secrets, tables
from doors import alarms, feedback, roles, routes, stages
from functions import calls, environment, functions, permissions, schedules, seen
from template import Template, translated

RULES = [
    tables, secrets, queues,
    functions, environment, permissions, calls, seen, schedules,
    routes, roles, stages, feedback, alarms,
]


def faults(body):
    template = Template(body)
    return [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule(template)]


if __name__ == "__main__":
    body = translated()
    with open(sys.argv[1], "w") as file:
        json.dump(body, file, indent=1)
    found = faults(body)
    print("\n".join(found) or f"{len(RULES)} rules hold for {len(body['Resources'])} resources")
    sys.exit(1 if found else 0)
