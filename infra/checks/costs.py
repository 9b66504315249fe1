"""What a million recipients cost: the most that the tests let each of them take, times AWS's prices. `infra/costs` prints
it; `infra/check` holds that infra/COSTS.md shows the same."""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "infra" / "COSTS.md"
PEOPLE = 1_000_000
# Of an ordinary one: three interests, two consents, four sends.
PERSON_BYTES = 550
# Dollars in us-east-1, November 2026, from the pricing page of each service.
WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6
GB_SECOND_ARM, INVOCATION = 0.0000133334, 0.20e-6
SQS_REQUEST, SNS_PUBLISH = 0.40e-6, 0.50e-6
# A batch of events is at hand within so many seconds (measured on loopback; most of it waits for DynamoDB).
FEEDBACK_BATCH, FEEDBACK_S = 100, 0.5
SEND_GB, FEEDBACK_GB = 0.5, 0.25


def found(pattern, *path):
    """A figure as the code has it, so that this page cannot be of another."""
    text = ROOT.joinpath(*path).read_text()
    match = re.search(pattern, text)
    if match is None:
        sys.exit(f"{'/'.join(path)}: no {pattern}")
    return [float(one.replace("_", "")) for one in match.groups()]


def ses(plan):
    return found(rf"Self::{plan} => Price {{ thousand: (\d+),", "src", "domain", "price.rs")[0] / 100


def senders(rate):
    table = re.findall(r"'(\d+)': \{ AtOnce: (\d+) \}", (ROOT / "infra" / "template.yaml").read_text())
    return int(dict(table)[str(rate)])


def lines(share, rate, plan):
    sent = round(PEOPLE * share)
    read, = found(r"\(([\d.]+) \* mean / 8_192\.0", "tests", "journeys", "units.rs")
    mail, skip = found(r"([\d.]+) \* sent \+ ([\d.]+) \* skipped", "tests", "journeys", "units.rs")
    told, = found(r"used\.write - before\.write <= ([\d.]+)", "tests", "journeys", "feedback", "counted.rs")
    looked, = found(r"used\.read - before\.read <= ([\d.]+)", "tests", "journeys", "feedback", "counted.rs")
    reads = read * PERSON_BYTES / 8192 * PEOPLE + looked * sent
    writes = mail * sent + skip * (PEOPLE - sent) + told * sent
    seconds = sent / rate
    working = seconds * senders(rate) * SEND_GB
    batches = sent / FEEDBACK_BATCH
    telling = batches * FEEDBACK_S * FEEDBACK_GB
    # An event is sent to the queue, and taken and deleted with nine others.
    requests = sent * 1.2
    yield "mails", f"{sent:,} at {ses(plan):.2f} a thousand", sent / 1000 * ses(plan)
    yield "writing", f"{writes:,.0f} units: claims, chunks, events", writes * WRITE_UNIT
    yield "events", f"{sent:,} through SNS, {requests:,.0f} requests of SQS", sent * SNS_PUBLISH + requests * SQS_REQUEST
    yield "sending", f"{senders(rate)} at once for {seconds:,.0f} s: {working:,.0f} GB-s", working * GB_SECOND_ARM
    yield "feedback", f"{batches:,.0f} batches: {telling:,.0f} GB-s", telling * GB_SECOND_ARM + batches * INVOCATION
    yield "reading", f"{reads:,.0f} units", reads * READ_UNIT


def table(share, rate, plan):
    rows = list(lines(share, rate, plan))
    total = sum(dollars for _, _, dollars in rows)
    text = f"{PEOPLE:,} recipients, {share:.0%} mailed, {rate} mails a second, {plan}\n\n"
    for name, how, dollars in [*rows, ("together", "", total)]:
        text += f"{name:<9} {how:<46} {dollars:>9.3f} $\n"
    return text


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="What a million recipients cost, in US dollars, at most.")
    asked.add_argument("--share", type=float, default=0.28, help="of the recipients who are mailed, such as 0.28")
    asked.add_argument("--rate", type=int, default=500, help="mails a second: a value of the template's SendRate")
    asked.add_argument("--plan", default="Essentials", choices=["ALaCarte", "Essentials", "Pro", "Enterprise"])
    asked.add_argument("--check", action="store_true", help="fail unless infra/COSTS.md shows this")
    asked = asked.parse_args()
    text = table(asked.share, asked.rate, asked.plan)
    if not asked.check:
        print(text, end="")
    elif text not in PAGE.read_text():
        sys.exit("infra/COSTS.md shows other costs than `infra/costs` prints")
