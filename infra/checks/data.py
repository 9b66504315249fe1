"""Tables, secrets and queues."""

import json

from template import ROOT, names, target

# A change of these replaces the table by an empty one
# (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-table.html).
REPLACING = ["TableName", "KeySchema", "AttributeDefinitions", "LocalSecondaryIndexes", "ImportSourceSpecification"]
# Of SQS, if a queue says nothing.
RETENTION_S = 4 * 24 * 60 * 60


def kept(template, name):
    part = template.resources[name]
    return part.get("DeletionPolicy") == "Retain" and part.get("UpdateReplacePolicy") == "Retain"


def tables(template):
    wanted = json.loads((ROOT / "infra" / "tables.json").read_text())
    found = {}
    for name, table in template.of("AWS::DynamoDB::Table").items():
        if not kept(template, name):
            yield f"{name}: would go with the stack"
        for place in REPLACING:
            parameters = names(table.get(place)) & set(template.parameters)
            if parameters:
                yield f"{name}: {place} replaces the table when {sorted(parameters)} changes"
        if table.get("BillingMode") != "PAY_PER_REQUEST":
            yield f"{name}: is not on demand"
        if table.get("SSESpecification") != {"SSEEnabled": True}:
            yield f"{name}: is not encrypted as the code makes it"
        for place, flag in (("DeletionProtectionEnabled", "Protect"), ("PointInTimeRecoverySpecification", "Recover")):
            if f'"Fn::If": ["{flag}", true, false]' not in json.dumps(table.get(place)):
                yield f"{name}: {place} does not follow its parameter"
        prefix, _, short = str(table.get("TableName", {}).get("Fn::Sub")).rpartition("-")
        if prefix != "${AWS::StackName}":
            yield f"{name}: is not named after the stack"
        kinds = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
        keys = {one["KeyType"]: one["AttributeName"] for one in table["KeySchema"]}
        key = {role: [keys[role], kinds[keys[role]]] if role in keys else None for role in ("HASH", "RANGE")}
        expiry = table.get("TimeToLiveSpecification", {})
        expires = expiry.get("AttributeName") if expiry.get("Enabled") is True else None
        found[short] = {"partition": key["HASH"], "sort": key["RANGE"], "expires": expires}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield f"table {name}: is {found.get(name)} here, {wanted.get(name)} in infra/tables.json"


def secrets(template):
    found = template.of("AWS::SecretsManager::Secret")
    if not kept(template, "AddressKey"):
        yield "AddressKey: would go with the stack"
    for name, secret in found.items():
        drawn = secret["GenerateSecretString"]
        if names(drawn):
            yield f"{name}: is drawn anew when {sorted(names(drawn))} changes"
        # 32 bytes in base64 without padding.
        if (drawn.get("PasswordLength"), drawn.get("ExcludePunctuation")) != (43, True):
            yield f"{name}: is not 32 bytes in base64"


def queues(template):
    queues = template.of("AWS::SQS::Queue")
    functions = template.of("AWS::Lambda::Function")
    dead = {target(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn")) for queue in queues.values()} - {None}
    dead.add("ScheduleDeadLetters")
    taken = {}
    for name, mapping in template.of("AWS::Lambda::EventSourceMapping").items():
        queue, function = target(mapping["EventSourceArn"]), functions[target(mapping["FunctionName"])]
        taken.setdefault(queue, []).append(name)
        if queues[queue].get("VisibilityTimeout", 30) < 6 * function["Timeout"]:
            yield f"{queue}: hides a message for less than six times the time-out of its function"
        if function["Timeout"] != 300:
            yield f"{name}: its function's time-out is not 300 seconds"
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name}: one bad message repeats the others"
        batch = mapping.get("BatchSize")
        if queue != "FeedbackQueue" and batch != 1:
            yield f"{name}: takes more than one message at a time"
        if queue == "FeedbackQueue" and (batch == 1 or not mapping.get("MaximumBatchingWindowInSeconds")):
            yield f"{name}: does not gather events"
        for most in template.values(mapping.get("ScalingConfig", {}).get("MaximumConcurrency")):
            if not isinstance(most, int) or not 2 <= most <= 1000:
                yield f"{name}: MaximumConcurrency can be {most}; Lambda takes 2 to 1000"
    rates = template.parameters["SendRate"]["AllowedValues"]
    if rates != list(template.body["Mappings"]["Senders"]):
        yield "SendRate: its values are not those of the map"
    for name, queue in queues.items():
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name}: is not encrypted"
        if name in dead:
            sources = [queue for queue in queues.values() if target(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn")) == name]
            longest = max((source.get("MessageRetentionPeriod", RETENTION_S) for source in sources), default=RETENTION_S)
            if queue.get("MessageRetentionPeriod", RETENTION_S) <= longest:
                yield f"{name}: forgets a message no later than the queue that it comes from"
        else:
            if "RedrivePolicy" not in queue:
                yield f"{name}: has no dead-letter queue"
            if len(taken.get(name, [])) != 1:
                yield f"{name}: is taken from by {taken.get(name, [])}"
