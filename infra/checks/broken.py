"""Breaks the template in one way after another, and fails if no rule says so: a rule that cannot fail holds nothing."""

import copy
import sys

from run import faults
from template import translated


def properties(body, name):
    return body["Resources"][name]["Properties"]


def role(body, name):
    return properties(body, name)["Policies"][0]["PolicyDocument"]["Statement"]


def mapping(body, queue):
    parts = body["Resources"].values()
    found = [part["Properties"] for part in parts if part["Type"] == "AWS::Lambda::EventSourceMapping"]
    return next(one for one in found if one["EventSourceArn"]["Fn::GetAtt"][0] == queue)


def put(value, *path):
    def change(body):
        part = body["Resources"]
        for step in path[:-1]:
            part = part[step]
        if value is None:
            del part[path[-1]]
        else:
            part[path[-1]] = value

    return change


BREAKS = {
    "tables: a key is another": lambda body: properties(body, "AddressesTable")["AttributeDefinitions"][0].update(AttributeType="S"),
    "tables: nothing expires": put(None, "LedgerTable", "Properties", "TimeToLiveSpecification"),
    "tables: goes with the stack": put("Delete", "EvidenceTable", "DeletionPolicy"),
    "tables: goes when it is replaced": put(None, "EvidenceTable", "UpdateReplacePolicy"),
    "tables: its name is a parameter": put({"Fn::Sub": "${SenderIdentity}-ledger"}, "LedgerTable", "Properties", "TableName"),
    "tables: is protected or not whatever is asked": put(False, "LedgerTable", "Properties", "DeletionProtectionEnabled"),
    "tables: one is missing": put(None, "CampaignsTable"),
    "secrets: the address key goes": put("Delete", "AddressKey", "DeletionPolicy"),
    "secrets: is drawn anew": put({"Ref": "LogLevel"}, "TokenKeys", "Properties", "GenerateSecretString", "GenerateStringKey"),
    "queues: visibility is short": put(1799, "ShardQueue", "Properties", "VisibilityTimeout"),
    "queues: no dead letters": put(None, "PreviewQueue", "Properties", "RedrivePolicy"),
    "queues: dead letters are forgotten": put(345600, "LaunchDeadLetters", "Properties", "MessageRetentionPeriod"),
    "queues: is not encrypted": put(None, "FeedbackQueue", "Properties", "SqsManagedSseEnabled"),
    "queues: two shards at a time": lambda body: mapping(body, "ShardQueue").update(BatchSize=2),
    "queues: whole batches fail": lambda body: mapping(body, "FeedbackQueue").pop("FunctionResponseTypes"),
    "queues: events one by one": lambda body: mapping(body, "FeedbackQueue").update(BatchSize=1),
    "queues: one worker": lambda body: body["Mappings"]["Senders"]["1"].update(AtOnce=1),
    "queues: nobody takes from it": lambda body: mapping(body, "PreviewQueue").update(EventSourceArn={"Fn::GetAtt": ["ShardQueue", "Arn"]}),
    "queues: a short time-out": put(120, "SendFunction", "Properties", "Timeout"),
    "functions: another runtime": put("provided.al2", "ApiFunction", "Properties", "Runtime"),
    "functions: is not built": put(None, "ApiFunction", "Metadata", "BuildMethod"),
    "functions: another's role": put({"Fn::GetAtt": ["ApiRole", "Arn"]}, "SendFunction", "Properties", "Role"),
    "functions: logs are kept for ever": put(None, "SendLogs", "Properties", "RetentionInDays"),
    "functions: logs as text": put("Text", "SendFunction", "Properties", "LoggingConfig", "LogFormat"),
    "functions: the pages share": put(None, "PreferencesFunction", "Properties", "ReservedConcurrentExecutions"),
    "permissions: everything": lambda body: role(body, "SendRole")[0].update(Resource="*"),
    "permissions: an unknown action": lambda body: role(body, "SendRole")[0].update(Action="dynamodb:BatchExecuteStatement"),
    "permissions: a wildcard": lambda body: role(body, "SendRole")[0].update(Action="dynamodb:*"),
    "permissions: a policy of AWS": put(["arn:aws:iam::aws:policy/AmazonSQSFullAccess"], "SendRole", "Properties", "ManagedPolicyArns"),
    "calls: one is not allowed": lambda body: role(body, "ApiRole").remove(next(one for one in role(body, "ApiRole") if "CreateEmailTemplate" in str(one))),
    "calls: what nothing calls": lambda body: role(body, "ApiRole")[1].update(Action=["dynamodb:Scan"]),
    "seen: a table that it calls is not allowed": lambda body: role(body, "SendRole").remove(next(one for one in role(body, "SendRole") if "LedgerTable" in str(one))),
    "seen: only some keys, and it calls for all": lambda body: role(body, "ApiRole")[3].update(Condition={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["rate"]}}),
    "seen: another function's call": lambda body: role(body, "FeedbackRole").append({"Effect": "Allow", "Action": "ses:SendBulkEmail", "Resource": "arn:aws:ses:eu-west-1:000000000000:template/germane-1"}),
    "seen: a queue that it does not send to": lambda body: role(body, "SendRole").append({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["FeedbackQueue", "Arn"]}}),
    "schedules: to the preview queue": lambda body: role(body, "ScheduleRole")[0]["Resource"].append({"Fn::GetAtt": ["PreviewQueue", "Arn"]}),
    "schedules: any service": lambda body: [one.pop("Condition") for one in role(body, "LaunchRole") if one.get("Action") == "iam:PassRole"],
    "schedules: rate(1 minutes)": put("rate(1 minutes)", "ScheduleGroup", "Properties", "ScheduleExpression"),
    "schedules: five fields": put("cron(0 9 ? * MON)", "ScheduleGroup", "Properties", "ScheduleExpression"),
    "schedules: two days": put("cron(0 9 * * MON *)", "ScheduleGroup", "Properties", "ScheduleExpression"),
    "schedules: a zone": put("at(2026-11-24T09:00:00Z)", "ScheduleGroup", "Properties", "ScheduleExpression"),
    "routes: one is missing": put(None, "EraseRecipientRoute"),
    "routes: one is unknown": put("GET /v1/everything", "ReadPolicyRoute", "Properties", "RouteKey"),
    "routes: open to all": put("NONE", "PutPolicyRoute", "Properties", "AuthorizationType"),
    "routes: the pages want a signature": put("AWS_IAM", "PostUnsubscribeRoute", "Properties", "AuthorizationType"),
    "roles: a scope too many": lambda body: properties(body, "EraseRecipientRoute")["AuthorizationScopes"]["Fn::If"][1].insert(0, "germane/send"),
    "roles: a policy too wide": lambda body: properties(body, "Reader")["PolicyDocument"]["Statement"][0]["Resource"].append({"Fn::Sub": "x/$default/*/v1/*"}),
    "stages: the path is logged": lambda body: properties(body, "PagesStage")["AccessLogSettings"].update(Format="$context.routeKey $context.path"),
    "stages: where people are is logged": lambda body: properties(body, "PagesStage")["AccessLogSettings"].update(Format="$context.routeKey $context.identity.sourceIp"),
    "stages: one-click is throttled": lambda body: properties(body, "PagesStage")["RouteSettings"].update({"POST /u/{token}": {}}),
    "stages: all are throttled": put({"ThrottlingRateLimit": 1}, "PagesStage", "Properties", "DefaultRouteSettings"),
    "feedback: an event is missing": lambda body: properties(body, "FeedbackDestination")["EventDestination"]["MatchingEventTypes"].remove("complaint"),
    "feedback: an event that is none": lambda body: properties(body, "FeedbackDestination")["EventDestination"]["MatchingEventTypes"].append("Rendering Failure"),
    "feedback: anybody may send": lambda body: properties(body, "FeedbackQueuePolicy")["PolicyDocument"]["Statement"][0].pop("Condition"),
    "feedback: any account may publish": lambda body: properties(body, "FeedbackTopicPolicy")["PolicyDocument"]["Statement"][0].pop("Condition"),
    "alarms: one is missing": put(None, "ComplaintRateAlarm"),
    "alarms: tells nobody": put([], "SendErrorsAlarm", "Properties", "AlarmActions"),
    "alarms: nobody knows what to do": lambda body: body["Resources"].update(SomeAlarm=body["Resources"].pop("SendErrorsAlarm")),
}


if __name__ == "__main__":
    whole = translated()
    unseen = []
    for name, change in BREAKS.items():
        body = copy.deepcopy(whole)
        change(body)
        rule = name.partition(":")[0]
        if not any(fault.startswith(f"{rule}: ") for fault in faults(body)):
            unseen.append(name)
    print("\n".join(f"unseen: {name}" for name in unseen) or f"{len(BREAKS)} broken templates are seen")
    sys.exit(1 if unseen else 0)
