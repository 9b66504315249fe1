"""Deploys the template into a stand-in for AWS on loopback, upgrades it with every parameter changed, rotates the token
keys, removes the stack, and looks each time that what is kept is kept. The functions' code is a dummy."""

import base64
import io
import json
import sys
import time
import zipfile

from stand import ROOT, Stand, expect, wait

STACK = "germane"
FIRST = {"SenderIdentity": "example.com"}
# Every parameter at another value than at first; `TokenKeysVersion` has its own turn.
UPGRADE = {
    "Architecture": "x86_64",
    "SenderIdentity": "example.net",
    "SendRate": "500",
    "RateStack": "production",
    "Shards": "16",
    "PagesDomain": "mail.example.com",
    "PagesCertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000",
    "PagesReservedConcurrency": "0",
    "PagesRate": "5",
    "PagesBurst": "10",
    "ApiAuth": "JWT",
    "JwtIssuer": "https://id.example.com",
    "JwtAudience": "germane",
    "DeletionProtection": "off",
    "PointInTimeRecovery": "off",
    "AlarmEmail": "ops@example.com",
    "LogRetentionDays": "7",
    "LogLevel": "debug",
    "Tracing": "on",
}
KEPT = {"AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"}


class Deployment:
    def __init__(self, stand):
        self.stand = stand
        self.formation = stand.client("cloudformation")
        self.dynamodb = stand.client("dynamodb")
        self.secrets = stand.client("secretsmanager")
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "#!/bin/sh\nexit 1\n")
        template = (ROOT / "infra" / "template.yaml").read_text()
        template = template.replace("CodeUri: .\n", "CodeUri: s3://code/dummy.zip\n")
        s3 = stand.client("s3")
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="dummy.zip", Body=code.getvalue())
        s3.put_object(Bucket="code", Key="template.yaml", Body=template.encode())

    def deploy(self, kind, parameters):
        """As `sam deploy` does; answers with what the change set would replace."""
        name = f"{kind.lower()}-{time.monotonic_ns()}"
        self.formation.create_change_set(
            StackName=STACK,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateURL=f"{self.stand.url}/code/template.yaml",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        seen = lambda: self.formation.describe_change_set(StackName=STACK, ChangeSetName=name)
        wait("the change set is made", lambda: not seen()["Status"].endswith(("PENDING", "IN_PROGRESS")))
        changes = seen()
        if changes["Status"] != "CREATE_COMPLETE":
            sys.exit(f"{kind}: {changes.get('StatusReason')}")
        self.formation.execute_change_set(StackName=STACK, ChangeSetName=name)
        wait("the stack is deployed", lambda: not self.status().endswith("IN_PROGRESS"))
        if self.status() != f"{kind}_COMPLETE":
            events = self.formation.describe_stack_events(StackName=STACK)["StackEvents"]
            failed = [one for one in events if "FAILED" in one["ResourceStatus"]]
            sys.exit("\n".join(f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}" for one in failed))
        changed = [one["ResourceChange"] for one in changes["Changes"]]
        return {one["LogicalResourceId"] for one in changed if one["ResourceType"] in KEPT and one.get("Replacement", "False") != "False"}

    def status(self):
        return self.formation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]

    def tables(self):
        return {
            name: {
                "table": self.dynamodb.describe_table(TableName=name)["Table"]["TableId"],
                "items": self.dynamodb.scan(TableName=name)["Items"],
            }
            for name in sorted(self.dynamodb.list_tables()["TableNames"])
        }

    def told(self, variable):
        function = self.stand.client("lambda").get_function_configuration(FunctionName=f"{STACK}-send")
        return function["Environment"]["Variables"][variable]

    def secret(self, resource):
        """What a secret of the template is stored under."""
        return self.formation.describe_stack_resource(StackName=STACK, LogicalResourceId=resource)[
            "StackResourceDetail"
        ]["PhysicalResourceId"]


def key_bytes(key):
    return len(base64.b64decode(key + "=", validate=True))


def put_one_in_each(deployment):
    values = {"N": "1", "S": "one", "B": b"one"}
    for name, table in json.loads((ROOT / "infra" / "tables.json").read_text()).items():
        keys = [key for key in (table["partition"], table["sort"]) if key]
        deployment.dynamodb.put_item(TableName=f"{STACK}-{name}", Item={key: {kind: values[kind]} for key, kind in keys})


def rehearse(stand):
    deployment = Deployment(stand)
    deployment.deploy("CREATE", FIRST)
    expect("the address key is 32 bytes", key_bytes(deployment.told("GERMANE_ADDRESS_KEY")), 32)
    first, _, key = deployment.told("GERMANE_TOKEN_KEYS").partition(":")
    expect("the ring has one key of 32 bytes", (first, key_bytes(key)), ("1", 32))
    # Fails unless the keys are those of the tables.
    put_one_in_each(deployment)
    before, address_key = deployment.tables(), deployment.told("GERMANE_ADDRESS_KEY")
    expect("each of five tables takes an item", [len(table["items"]) for table in before.values()], [1] * 5)

    parameters = {one["ParameterKey"] for one in deployment.formation.describe_stacks(StackName=STACK)["Stacks"][0]["Parameters"]}
    expect("an upgrade changes every parameter", parameters - UPGRADE.keys(), {"TokenKeysVersion"})
    expect("it replaces no table and no secret", deployment.deploy("UPDATE", UPGRADE), set())
    expect("the tables are the same, with what was in them", deployment.tables(), before)
    expect("the address key is the same", deployment.told("GERMANE_ADDRESS_KEY"), address_key)
    expect("links lead to the new domain", deployment.told("GERMANE_PUBLIC_URL"), "https://mail.example.com")

    ring = f"2:{'n' * 43},1:{key}"
    name = deployment.secret("TokenKeys")
    version = deployment.secrets.put_secret_value(SecretId=name, SecretString=json.dumps({"key": key, "ring": ring}))["VersionId"]
    deployment.deploy("UPDATE", UPGRADE | {"TokenKeysVersion": version})
    expect("a rotated ring is told", deployment.told("GERMANE_TOKEN_KEYS"), ring)

    name = deployment.secret("AddressKey")
    deployment.formation.delete_stack(StackName=STACK)
    wait("the stack is gone", lambda: not [one for one in deployment.formation.describe_stacks()["Stacks"] if one["StackStatus"] != "DELETE_COMPLETE"])
    expect("the functions are gone", stand.client("lambda").list_functions()["Functions"], [])
    expect("the tables stay, with what was in them", deployment.tables(), before)
    left = json.loads(deployment.secrets.get_secret_value(SecretId=name)["SecretString"])
    expect("the address key stays", left["key"], address_key)


if __name__ == "__main__":
    with Stand() as stand:
        rehearse(stand)
