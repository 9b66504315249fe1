"""Builds the functions and deploys them with the command that people use, `sam build && sam deploy`, into a stand-in for
AWS that enforces signatures, roles and policies. Then takes campaigns from the command line through the queues, tables
and routes that the template made, out to SES's stand-in and back by its events, and upgrades the stack."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from stand import KEYS, REGION, ROOT, Stand, expect, wait

STACK = "germane"
INFRA = ROOT / "infra"
PEOPLE = 60
PARAMETERS = {
    "SenderIdentity": "example.com",
    "Architecture": "x86_64",
    "Shards": "4",
    "PagesDomain": "mail.example.com",
    "PagesCertificateArn": f"arn:aws:acm:{REGION}:000000000000:certificate/00000000-0000-0000-0000-000000000000",
}
# What the stand-in asks for by other names than AWS does, and so the template must not grant: it checks batches as
# actions of their own, and every schedule as one of the default group. `seen` in functions.py holds what AWS asks for.
BY_OTHER_NAMES = [
    {"Effect": "Allow", "Action": ["sqs:SendMessageBatch", "dynamodb:BatchExecuteStatement"], "Resource": "*"},
    {
        "Effect": "Allow",
        "Action": ["scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"],
        "Resource": f"arn:aws:scheduler:{REGION}:000000000000:schedule/default/*",
    },
]


def germane():
    """The command line, as `cargo build` leaves it."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "germane"


class Mail:
    """SES's stand-in, which a local stack without workers brings along."""

    def __enter__(self):
        command = [germane(), "local", "--no-workers", "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip().removeprefix("listening on ")
        stack = self.read("/local/stack")
        self.ses, self.events = stack["endpoints"]["ses"], stack["queues"]["feedback"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def read(self, path):
        return json.loads(urllib.request.urlopen(self.url + path).read())

    def mails(self):
        return self.read("/inbox/messages")


class Deployment:
    def __init__(self, stand, work):
        self.stand, self.work = stand, work
        self.formation = stand.client("cloudformation")

    def sam(self, *arguments):
        command = [os.environ["SAM"], *arguments]
        # Linked for the C library of this machine, where they run; for Lambda's it is zig that links.
        built = {"ARCHITECTURE": "x86_64", "CARGO_LAMBDA_COMPILER": "cargo", "LAMBDA_DIR": f"{self.work}/lambda"}
        environment = self.stand.environment | built | {"SAM_CLI_TELEMETRY": "0"}
        ran = subprocess.run(command, cwd=INFRA, env=environment, capture_output=True, text=True)
        if ran.returncode:
            sys.exit(f"sam {arguments[0]}:\n{ran.stdout}\n{ran.stderr}")

    def build(self):
        self.sam("build", "--build-dir", f"{self.work}/build", "--parameter-overrides", "Architecture=x86_64")

    def deploy(self, **changed):
        parameters = [f"{key}={value}" for key, value in (PARAMETERS | changed).items()]
        template = f"{self.work}/build/template.yaml"
        self.sam("deploy", "--template-file", template, "--stack-name", STACK, "--resolve-s3", "--no-confirm-changeset",
                 "--capabilities", "CAPABILITY_IAM", "--parameter-overrides", *parameters)
        described = self.formation.describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
        self.api, self.pages = (self.gateway(name) for name in ("Api", "Pages"))
        iam = self.stand.client("iam")
        policy = json.dumps({"Version": "2012-10-17", "Statement": BY_OTHER_NAMES})
        for function in ("Api", "Launch", "Send", "Feedback", "Preferences"):
            iam.put_role_policy(RoleName=self.physical(f"{function}Role"), PolicyName="stand-in", PolicyDocument=policy)

    def physical(self, name):
        found = self.formation.describe_stack_resource(StackName=STACK, LogicalResourceId=name)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def gateway(self, name):
        return f"{self.stand.url}/_aws/execute-api/{self.physical(name)}/$default"

    def user(self, role):
        """One with the policy of a role, and what their requests are signed with."""
        iam = self.stand.client("iam")
        iam.create_user(UserName=role)
        iam.attach_user_policy(UserName=role, PolicyArn=self.outputs[f"{role}Policy"])
        key = iam.create_access_key(UserName=role)["AccessKey"]
        return Caller(self.api, key)


class Caller:
    def __init__(self, endpoint, key):
        signs = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        asks = {"GERMANE_ENDPOINT": endpoint, "GERMANE_AUTH": "iam", "AWS_REGION": REGION}
        self.environment = os.environ | KEYS | signs | asks

    def run(self, *arguments):
        """What the command line answers as JSON, and its exit code."""
        command = [germane(), "--json", *arguments]
        ran = subprocess.run(command, env=self.environment, capture_output=True, text=True, cwd=ROOT)
        try:
            return ran.returncode, json.loads(ran.stdout)
        except ValueError:
            return ran.returncode, ran.stdout + ran.stderr

    def do(self, *arguments):
        code, answer = self.run(*arguments)
        if code:
            sys.exit(f"germane {' '.join(map(str, arguments))}: exit {code}: {answer}")
        return answer


def ask(url, method="GET", body=None):
    request = urllib.request.Request(url, data=body, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def carried(stand, mail, topic, over):
    """SES's events to the topic that the template made, as SES publishes them."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": REGION}
    queue, topics = boto3.client("sqs", endpoint_url=mail.ses, **keys), stand.client("sns")
    while not over.is_set():
        told = queue.receive_message(QueueUrl=mail.events, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in told.get("Messages", []):
            topics.publish(TopicArn=topic, Message=json.loads(message["Body"])["Message"])
            queue.delete_message(QueueUrl=mail.events, ReceiptHandle=message["ReceiptHandle"])


def person(number):
    consent = {"topic": "rust", "channel": "work", "status": "granted", "source": "signup-form"}
    return {
        "id": f"r-{number}",
        "addresses": {"work": f"r-{number}@example.com"},
        "time_zone": "Europe/Berlin",
        "interests": [{"topic": "rust", "strength": 0.9}],
        "consents": [consent],
    }


def campaign(work, name, **changed):
    body = {"id": name, "topic": "rust", "channel": "work", "template": "newsletter", "content": {"headline": "News"}}
    file = Path(work) / f"{name}.json"
    file.write_text(json.dumps(body | changed))
    return file


def through(caller, name):
    """The report of a campaign that nothing keeps any more."""

    def complete():
        report = caller.do("status", name)
        if report["status"] in ("refused", "paused"):
            sys.exit(f"{name}: {report}")
        return report if report["status"] == "complete" else None

    return wait(f"{name} is through", complete)


def story(deployment, mail, work):
    admin, marketer, reader = (deployment.user(role) for role in ("Admin", "Marketer", "Reader"))
    admin.do("policy", "put", ROOT / "src" / "local" / "policy.json")
    for template in ("newsletter", "access-link", "confirm-consent"):
        marketer.do("templates", "push", template)
    people = Path(work) / "people.jsonl"
    people.write_text("".join(json.dumps(person(number)) + "\n" for number in range(PEOPLE)))
    marketer.do("import", people)
    # A sender at example.com can be verified nowhere else than here, so only what the functions may look at counts.
    _, looked = reader.run("doctor")
    unknown = [one["check"] for one in looked["checks"] if one["state"] == "unknown"]
    expect("the doctor may look at everything", unknown, [])
    previewed = marketer.do("preview", campaign(work, "weekly"))
    expect("a preview counts everybody in", previewed["outcomes"]["sent"], PEOPLE)

    marketer.do("send", campaign(work, "weekly"))
    report = through(reader, "weekly")
    expect("everybody is mailed, once", (report["outcomes"]["sent"], len(mail.mails())), (PEOPLE, PEOPLE))
    wait("SES's events are counted", lambda: reader.do("status", "weekly")["feedback"]["delivered"] >= PEOPLE)
    print("seen: SES's events come back through topic, queue and function", flush=True)

    link = next(one for one in mail.mails() if one["to"] == "r-7@example.com")["headers"]["List-Unsubscribe"]
    token = re.search(r"/u/([^>]+)", link)[1]
    expect("one click is taken, signed by nobody", ask(f"{deployment.pages}/u/{token}", "POST", b"List-Unsubscribe=One-Click"), 200)
    soon = campaign(work, "second", frequency={"exempt": True})
    marketer.do("send", soon)
    expect("whoever left gets nothing more", through(reader, "second")["outcomes"]["sent"], PEOPLE - 1)
    why = reader.do("why", "second", "r-7")
    expect("and the reason is kept", why["reason"], "consent_withdrawn")

    expect("nobody unknown is let in", ask(f"{deployment.api}/v1/policy"), 403)
    refused = {
        "a reader sends nothing": (reader, "send", soon),
        "a reader reads nobody's record": (reader, "recipients", "get", "r-7"),
        "a marketer changes no rules": (marketer, "policy", "put", ROOT / "src" / "local" / "policy.json"),
        "a marketer exports nobody": (marketer, "recipients", "export", "r-7"),
    }
    for what, (caller, *arguments) in refused.items():
        expect(what, caller.run(*arguments)[0], 1)
    expect("an admin exports", admin.do("recipients", "export", "r-7")["recipient"]["id"], "r-7")

    deployment.deploy(LogLevel="debug", SendRate="500")
    expect("an upgrade keeps the data", reader.do("status", "weekly")["outcomes"]["sent"], PEOPLE)
    marketer.do("send", campaign(work, "third", frequency={"exempt": True}))
    expect("and the work goes on", through(reader, "third")["outcomes"]["sent"], PEOPLE - 1)
    dead = deployment.stand.client("sqs")
    for queue in ("launch", "shard", "preview", "feedback", "schedule"):
        url = dead.get_queue_url(QueueName=f"{STACK}-{queue}-dead")["QueueUrl"]
        held = dead.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        expect(f"no dead letters of {queue}", held["Attributes"]["ApproximateNumberOfMessages"], "0")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work, Mail() as mail:
        with Stand(AUTH="true", AWS_ENDPOINT_URL_SESV2=mail.ses) as stand:
            deployment = Deployment(stand, work)
            deployment.build()
            print("seen: sam builds the functions", flush=True)
            deployment.deploy()
            print("seen: sam deploys them", flush=True)
            over = threading.Event()
            topic = deployment.physical("FeedbackTopic")
            carrier = threading.Thread(target=carried, args=(stand, mail, topic, over))
            carrier.start()
            try:
                story(deployment, mail, work)
            finally:
                over.set()
                carrier.join()
