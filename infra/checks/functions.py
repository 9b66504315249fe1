"""Functions, what they are told, and what their roles allow."""

import json
import re
from pathlib import Path

import cfnlint
from template import ROOT, listed, names, target

FUNCTIONS = {"ApiFunction", "LaunchFunction", "SendFunction", "FeedbackFunction", "PreferencesFunction"}
# AWS's own list of actions, of services and of what each may be limited to, as cfn-lint brings it.
ACTIONS = json.loads((Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json").read_text())
ACTIONS = ACTIONS.get("serviceMap", ACTIONS)


def functions(template):
    found = template.of("AWS::Lambda::Function")
    if set(found) != FUNCTIONS:
        yield f"functions: {sorted(found)}, wanted {sorted(FUNCTIONS)}"
    makefile = (ROOT / "infra" / "Makefile").read_text()
    logs = template.of("AWS::Logs::LogGroup")
    for name, function in found.items():
        if function.get("Runtime") != "provided.al2023" or function.get("Architectures") != [{"Ref": "Architecture"}]:
            yield f"{name}: its runtime or architecture is another one"
        if template.resources[name].get("Metadata", {}).get("BuildMethod") != "makefile" or f"\nbuild-{name}:\n" not in makefile:
            yield f"{name}: infra/Makefile does not build it"
        logging = function.get("LoggingConfig", {})
        if logging.get("LogFormat") != "JSON" or target(logging.get("LogGroup")) not in logs:
            yield f"{name}: does not log as JSON to a group of this template"
        if target(function["Role"]) != name.replace("Function", "Role"):
            yield f"{name}: has another's role"
        if "PassThrough" not in json.dumps(function.get("TracingConfig")):
            yield f"{name}: traces whatever the parameter says"
    if template.parameters["Tracing"]["Default"] != "off":
        yield "Tracing: is on if nobody says otherwise"
    for name, group in logs.items():
        if "RetentionInDays" not in group:
            yield f"{name}: is kept for ever"
    if "ReservedConcurrentExecutions" not in found.get("PreferencesFunction", {}):
        yield "PreferencesFunction: has no concurrency of its own"


def environment(template):
    """The variables are those that the code reads, if this tree has that code."""
    config = ROOT / "src" / "lambda" / "config.rs"
    if not config.exists():
        return
    # The table at its head documents each.
    known = set(re.findall(r"`(GERMANE_[A-Z_]+)`", config.read_text()))
    optional = {"GERMANE_MAX_IN_FLIGHT", "GERMANE_PAGE_PEOPLE"}
    for name, function in template.of("AWS::Lambda::Function").items():
        told = {key for key in function["Environment"]["Variables"] if key.startswith("GERMANE_")}
        if told - known:
            yield f"{name}: is told {sorted(told - known)}, which it does not read"
        if known - optional - told:
            yield f"{name}: is not told {sorted(known - optional - told)}"


def statements(template):
    """Every statement of an identity's policy, with whose it is."""
    for name, role in template.of("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement
    for name, policy in template.of("AWS::IAM::ManagedPolicy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            yield name, statement


def permissions(template):
    for name, role in template.of("AWS::IAM::Role").items():
        if role.get("ManagedPolicyArns"):
            yield f"{name}: has a policy of AWS, which allows more than is called"
    for name, statement in statements(template):
        for action in listed(statement["Action"]):
            service, _, verb = action.partition(":")
            known = ACTIONS.get(service, {}).get("Actions", {}).get(verb.lower())
            if known is None:
                yield f"{name}: there is no action {action}"
            elif "*" in listed(statement["Resource"]) and known.get("Resources"):
                yield f"{name}: {action} on everything, though AWS limits it to {known['Resources']}"
        if statement["Effect"] != "Allow" or statement.get("NotAction") or statement.get("NotResource"):
            yield f"{name}: a statement that does not say what it allows"


# What Lambda itself does for an event source mapping, and for logs and traces.
LAMBDAS = {
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
    "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
}
# What only the command line does, under the rights of who runs it.
COMMAND_LINE = {"dynamodb:CreateTable", "dynamodb:UpdateTimeToLive"}
# What is called by another name than it is allowed by.
CALLED = {
    "Put::builder(": "dynamodb:PutItem",
    "Update::builder(": "dynamodb:UpdateItem",
    "Delete::builder(": "dynamodb:DeleteItem",
    "ConditionCheck::builder(": "dynamodb:ConditionCheckItem",
    '"UPDATE \\"': "dynamodb:PartiQLUpdate",
    '"INSERT INTO \\"': "dynamodb:PartiQLInsert",
    ".send_message_batch(": "sqs:SendMessage",
    "role_arn(&self": "iam:PassRole",
}


def calls(template):
    """Whatever the adapters call is allowed to some function, and nothing else is; which is whose, journeys tell."""
    called = set()
    for file in sorted((ROOT / "src" / "aws").rglob("*.rs")):
        code = file.read_text()
        called |= {action for call, action in CALLED.items() if re.search(r"\b" * call[0].isalpha() + re.escape(call), code)}
        # Two words at least, as `query` has not: `delete()` could be anything's.
        for call in re.findall(r"\.(query|[a-z0-9]+(?:_[a-z0-9]+)+)\(\)", code):
            verb = call.replace("_", "")
            for service in ("dynamodb", "sqs", "ses", "scheduler"):
                if verb in ACTIONS[service]["Actions"]:
                    called.add(f"{service}:" + "".join(part.capitalize() for part in call.split("_")))
    functions = {name.replace("Function", "Role") for name in FUNCTIONS}
    allowed = {action for name, one in statements(template) if name in functions for action in listed(one["Action"])}
    for action in sorted(called - COMMAND_LINE - allowed):
        yield f"{action}: is called, and no function may"
    for action in sorted(allowed - LAMBDAS - called):
        yield f"{action}: is allowed, and nothing calls it"


# What a function may and no journey of `tests/functions/calls.rs` has it do, with the tests that do.
UNSEEN = {
    ("send", "sqs:SendMessage", "launch queue"): "a quota that opens within seconds needs no schedule: journeys/quota.rs",
    ("send", "scheduler:UpdateSchedule", "schedule"): "shards that wait for quota share one schedule: journeys/quota.rs",
    ("preferences", "dynamodb:DeleteItem", "evidence table"): "SES refuses a mail with a link: journeys/pages/access.rs",
}


def seen(template):
    """Each role allows its function what that was seen to call, and nothing else."""
    calls = json.loads((ROOT / "infra" / "calls.json").read_text())
    for function, actions in calls.items():
        called = {(action, thing) for action, things in actions.items() for thing in things}
        allowed = set()
        for name, statement in statements(template):
            if name == f"{function.capitalize()}Role":
                allowed |= {(action, thing) for action in set(listed(statement["Action"])) - LAMBDAS for thing in things(statement)}
        # A role for a table is one for each key of it.
        whole = lambda thing: thing.partition(", ")[0]
        for action, thing in sorted(called):
            if not {(action, thing), (action, whole(thing))} & allowed:
                yield f"{function}: calls {action} on {thing}, and may not"
        for action, thing in sorted(allowed):
            unseen = (action, thing) not in called and (action, thing) not in {(one, whole(other)) for one, other in called}
            if unseen != ((function, action, thing) in UNSEEN):
                yield f"{function}: {action} on {thing} is {'allowed, and never called' if unseen else 'called, and said not to be'}"


def things(statement):
    """What a statement is about, in the words of calls.json."""
    keys = statement.get("Condition", {}).get("ForAllValues:StringEquals", {}).get("dynamodb:LeadingKeys", [None])
    for resource in listed(statement["Resource"]):
        text = json.dumps(resource)
        kind = re.search(r":(identity|configuration-set|template|schedule|table)/", text)
        if resource == "*":
            yield "*"
        elif target(resource) == "ScheduleRole":
            yield "role of schedules"
        elif kind and kind[1] != "table":
            yield kind[1].replace("-", " ")
        else:
            # Of this stack by its name here; of another by its name there.
            name = target(resource) or re.search(r"-(\w+)\"", text)[1] + "Table"
            thing = re.sub(r"(Table|Queue)$", lambda kind: " " + kind[1].lower(), name[0].lower() + name[1:])
            yield from (f"{thing}, {key}" if key else thing for key in keys)


def schedules(template):
    """A schedule sends to two queues and its dead letters, and nobody else may be given its role."""
    allowed = [statement for name, statement in statements(template) if name == "ScheduleRole"]
    if [names(statement["Resource"]) for statement in allowed] != [{"LaunchQueue", "ShardQueue", "ScheduleDeadLetters"}]:
        yield "ScheduleRole: sends elsewhere than to the launch and shard queues and its dead letters"
    for name, statement in statements(template):
        if "iam:PassRole" in listed(statement["Action"]):
            passed = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
            if names(statement["Resource"]) != {"ScheduleRole"} or statement.get("Condition") != passed:
                yield f"{name}: may pass another role, or to another service"
    for name, part in template.resources.items():
        for expression in expressions(part.get("Properties", {})):
            if not re.fullmatch(EXPRESSION, expression):
                yield f"{name}: {expression} is no schedule"


# `rate(1 minute)` but `rate(5 minutes)`; cron has six fields, one of the two days is `?`; `at` has no zone
# (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
EXPRESSION = (
    r"rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)"
    r"|cron\(\S+ \S+ (\? \S+ [^?\s]+|[^?\s]+ \S+ \?) \S+\)"
    r"|at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)"
)


def expressions(value):
    if isinstance(value, list):
        return [found for one in value for found in expressions(one)]
    if not isinstance(value, dict):
        return []
    own = [value["ScheduleExpression"]] if isinstance(value.get("ScheduleExpression"), str) else []
    return own + [found for one in value.values() for found in expressions(one)]
