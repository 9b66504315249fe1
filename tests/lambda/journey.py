"""A campaign by the functions' own binaries: api, launch, send, feedback, preferences, under `cargo lambda watch`."""

import json
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

from beside import ROOT, Beside, Failed, ask, expect, until

ONE_CLICK = ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")
DONE = {"batchItemFailures": []}


def person(name, address, status="granted"):
    consent = {"topic": "rust", "channel": "work", "status": status, "source": "sign-up form"}
    interest = {"topic": "rust", "strength": 0.9, "source": "declared"}
    return {"id": name, "addresses": {"work": address}, "interests": [interest], "consents": [consent]}


def campaign(name):
    return {
        "id": name, "topic": "rust", "channel": "work", "template": "newsletter",
        "content": {"headline": "Async closures"},
    }


def told(what):
    print(f"ok  {what}", flush=True)


def report_of(url, name):
    return json.loads(ask("GET", f"{url}/v1/campaigns/{name}")[2])


def waiting_for_functions(beside, stack):
    """What is queued before the functions are there waits for them, and that is told once."""
    expect(0o600, beside.environment.stat().st_mode & 0o777, "the mode of the file with the secrets")
    expect(200, ask("POST", f"{stack}/v1/recipients", json.dumps(person("r-0", "r-0@example.com")))[0], "an import")
    expect(202, ask("POST", f"{stack}/v1/campaigns", campaign("early"))[0], "a campaign")
    beside.stack.remarks(f"nothing answers at {beside.functions}")
    # It knocks more often than that.
    time.sleep(2)
    expect(1, beside.stack.logged().count("nothing answers at"), "how often it is told")
    expect("scheduled", report_of(stack, "early")["status"], "the campaign meanwhile")
    beside.watch_functions()
    report = until("the end of the early campaign", lambda: complete(stack, "early"))
    expect(1, report["outcomes"]["sent"], "mails of the early campaign")
    beside.stack.remarks(f"functions answer at {beside.functions}")
    told("a campaign waited for the functions, and was sent once they were there")


def complete(url, name):
    report = report_of(url, name)
    return report if report["status"] == "complete" else None


def deadline_in_1970(beside):
    """Takes an invocation as a function does, to see what comes with it: the rest of this journey is run by such."""
    runtime = f"{beside.functions}/.rt/germane/2018-06-01/runtime/invocation"
    invoked = []
    event = f"{beside.functions}/2015-03-31/functions/germane/invocations"
    caller = threading.Thread(target=lambda: invoked.append(ask("POST", event, {})))
    caller.start()

    def taken():
        status, headers, _ = ask("GET", f"{runtime}/next")
        return headers if status == 200 else None

    headers = until("an invocation", taken)
    ask("POST", f"{runtime}/{headers['lambda-runtime-aws-request-id']}/response", {"taken": True})
    caller.join()
    expect({"taken": True}, json.loads(invoked[0][2]), "the answer to the invocation")
    deadline_ms = int(headers["lambda-runtime-deadline-ms"])
    if deadline_ms >= time.time() * 1_000:
        raise Failed(f"the deadline {deadline_ms} has not passed: this journey no longer shows that one may have")
    told(f"invocations carry the deadline {time.strftime('%F %T', time.gmtime(deadline_ms / 1_000))}")


def samples(beside):
    """Each sample event works for its function, also before there is anything that it is about."""
    for function, name in [
        ("germane-launch", "launch"),
        ("germane-launch", "launch-newsletter"),
        ("germane-send", "send"),
        ("germane-feedback", "feedback"),
    ]:
        expect(DONE, beside.sample(function, name), f"{name} of what is not there")
    expect(404, beside.sample("germane-api", "api-report")["statusCode"], "the report of no campaign")
    expect(200, beside.sample("germane-api", "api-recipients")["statusCode"], "the sample's people")
    expect(202, beside.sample("germane-api", "api-campaign")["statusCode"], "the sample's campaign")
    until("the sample's campaign", lambda: complete(beside.functions, "rust-weekly-2026-47"))
    expect(200, beside.sample("germane-api", "api-report")["statusCode"], "the sample's report")
    for function, name in [("germane-launch", "launch"), ("germane-send", "send"), ("germane-feedback", "feedback")]:
        expect(DONE, beside.sample(function, name), f"{name}, once more")
    # Their links are signed by another deployment's key.
    for name in ["preferences-page", "preferences-unsubscribe"]:
        expect(404, beside.sample("germane-preferences", name)["statusCode"], name)
    told("cargo lambda invoke works with every event of infra/events")


def malformed(beside):
    """A message that cannot be read is named; an event that is none is an error, and the function goes on."""
    record = {"messageId": "bad", "receiptHandle": "a", "body": "no JSON", "eventSource": "aws:sqs"}
    named = {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    for function in ["germane-launch", "germane-send", "germane-feedback"]:
        code, text = beside.invoke(function, "--data-ascii", json.dumps({"Records": [record]}))
        expect((0, named), (code, json.loads(text)), f"a bad message for {function}")
    for function in ["germane-api", "germane-launch", "germane-send", "germane-feedback", "germane-preferences"]:
        code, text = beside.invoke(function, "--data-ascii", '{"Records": 1}')
        if code == 0 or "DeserializeError" not in text:
            raise Failed(f"{function} took what is no event: {text}")
    expect(DONE, beside.sample("germane-send", "send"), "an event after all these")
    told("malformed messages are named, malformed events are errors, and the functions go on")


def by_the_command_line(beside, stack):
    """Import, preview and campaign through the functions, and what SES tells afterwards."""
    people = [
        person("r-1", "r-1@example.com"),
        person("r-2", "r-2@example.com", "withdrawn"),
        person("r-3", "bounce@simulator.amazonses.com"),
    ]
    (beside.work / "people.jsonl").write_text("".join(json.dumps(person) + "\n" for person in people))
    (beside.work / "weekly.json").write_text(json.dumps(campaign("weekly")))
    expect(3, beside.germane("import", "people.jsonl")["created"], "imported people")
    status, headers, line = ask("POST", f"{beside.functions}/v1/recipients", json.dumps(people[0]))
    expect((200, "application/x-ndjson"), (status, headers["content-type"]), "an import")
    expect("updated", json.loads(line)["result"], "a line of its answer, which left the function in base64")
    would = beside.germane("preview", "weekly.json")
    # Of the sample's person a complaint was told, also by a sample.
    left_out = {"consent_withdrawn": 1, "suppressed": 1}
    expect((3, left_out), (would["outcomes"]["sent"], would["reasons"]), "the preview")
    report = beside.germane("send", "weekly.json", "--watch")
    expect((3, left_out), (report["outcomes"]["sent"], report["reasons"]), "the campaign")
    told("imported, previewed and sent by the command line through api, launch and send")

    def told_by_ses():
        feedback = report_of(beside.functions, "weekly")["feedback"]
        return feedback["delivered"] + feedback["hard_bounced"] == 3 and feedback

    expect(1, until("the feedback", told_by_ses)["hard_bounced"], "bounces")
    mails = json.loads(ask("GET", f"{stack}/inbox/messages?to=r-1@example.com")[2])
    expect(1, len(mails), "mails in the inbox")
    told("SES's events went through feedback: two delivered, one bounced")
    return mails[0]


def on_a_schedule(beside):
    """A campaign that is to begin later is begun by the Scheduler, through the launch queue."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    body = {**campaign("later"), "not_before": later, "audience": {"recipients": ["r-2"]}}
    (beside.work / "later.json").write_text(json.dumps(body))
    beside.germane("send", "later.json")
    expect("scheduled", report_of(beside.functions, "later")["status"], "the campaign before its time")
    until("the campaign of the schedule", lambda: complete(beside.functions, "later"))
    told("a campaign began at its time")


def by_the_recipient(beside, mail):
    """The links in a mail lead to the functions, and one click is honoured by the next campaign."""
    unsubscribe = mail["headers"]["List-Unsubscribe"].strip("<>")
    page = re.search(rf"{beside.functions}/p/[A-Za-z0-9_.-]+", mail["text"])
    if not page or not unsubscribe.startswith(f"{beside.functions}/u/"):
        raise Failed("the links of a mail do not lead to the functions")
    status, headers, _ = ask("GET", page[0])
    expect((200, "text/html; charset=utf-8"), (status, headers["content-type"]), "the preference page")
    expect(200, ask("GET", unsubscribe)[0], "a look at the one-click link, which does nothing")
    expect(200, ask("POST", unsubscribe, *ONE_CLICK)[0], "one click")
    (beside.work / "next.json").write_text(json.dumps(campaign("next")))
    reasons = beside.germane("send", "next.json", "--watch")["reasons"]
    # One person has had three mails this week by now.
    left_out = {"address_unusable": 1, "consent_withdrawn": 2, "frequency_cap": 1, "suppressed": 1}
    expect(left_out, reasons, "whom the next campaign leaves out")
    told("one click through preferences, and a bounce, are honoured by the next campaign")

    event = json.loads((ROOT / "infra/events/preferences-unsubscribe.json").read_text())
    path = unsubscribe.removeprefix(beside.functions)
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    code, text = beside.invoke("germane-preferences", "--data-ascii", json.dumps(event))
    expect((0, 200), (code, json.loads(text)["statusCode"]), "the sample's click with a link of this deployment")


def logs(beside):
    """Nothing was built anew, no walk took its deadline for one that had passed, and nobody is named in a log."""
    built = re.findall(r"^ *Compiling (\S+)", beside.watch.logged(), re.MULTILINE)
    expect([], built, "what `cargo lambda watch` built that `cargo build` had not")
    ends = set(re.findall(r'"ended":"(\w+)"', beside.watch.logged()))
    expect({"Through"}, ends, "how walks through shards ended")
    for process in (beside.stack, beside.watch):
        found = re.findall(r"[\w.-]+@[\w.-]+|/[upc]/[A-Za-z0-9_-]{20,}", process.logged())
        expect([], found, f"addresses and links in the log of {process.name}")
    told("every shard was walked to its end, and no log names an address or a link")


def ended(beside):
    functions = beside.watch.children()
    if not functions:
        raise Failed("no function runs")
    beside.watch.end()
    expect(0, beside.stack.end(), "the exit code of the stack")
    left = [pid for pid in functions if pathlib.Path(f"/proc/{pid}").exists()]
    expect([], left, "functions that outlived it")
    told("everything that was started has ended")


def journey(beside):
    stack = beside.stack.says("listening on ")
    waiting_for_functions(beside, stack)
    deadline_in_1970(beside)
    samples(beside)
    malformed(beside)
    mail = by_the_command_line(beside, stack)
    on_a_schedule(beside)
    by_the_recipient(beside, mail)
    logs(beside)
    ended(beside)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = pathlib.Path(tempfile.mkdtemp(prefix="germane-lambda-"))
    beside = Beside(work)
    try:
        journey(beside)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        print(f"failed: {error!r}", file=sys.stderr)
        for process in (beside.stack, beside.watch):
            if process:
                print(f"--- {process.name}\n" + "\n".join(process.logged().splitlines()[-12:]), file=sys.stderr)
        return 1
    finally:
        # What was started ends, however impatient somebody is.
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, signal.SIG_IGN)
        beside.end()
        shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
