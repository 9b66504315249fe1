"""What is open to the outside: the API, the recipients' pages, what SES tells; and the alarms."""

import re
from fnmatch import fnmatchcase

from functions import FUNCTIONS, statements
from template import ROOT, listed, names, target

EVENTS = {"bounce", "complaint", "delivery", "renderingFailure", "reject", "deliveryDelay"}
# A log line may hold these; paths hold addresses and tokens, and where somebody is, is theirs.
LOGGED = {"requestTime", "requestId", "routeKey", "status", "responseLatency", "responseLength", "error.responseType"}
SCOPES = {"Reader": "germane/read", "Marketer": "germane/send", "Admin": "germane/admin"}


def declared(file):
    """The routes that a `routes!` of the code declares."""
    text = (ROOT / "src" / "lambda" / file).read_text()
    return {f"{method.upper()} {path}" for method, path in re.findall(r'^ +(get|post|put|delete) "(/[^"]+)" =>', text, re.M)}


def routes(template):
    for api, file in (("Api", "http.rs"), ("Pages", "preferences.rs")):
        routes = [route for route in template.of("AWS::ApiGatewayV2::Route").values() if target(route["ApiId"]) == api]
        found = {route["RouteKey"] for route in routes}
        for route in sorted(found ^ declared(file)):
            yield f"{api}: {route} is {'not in the code' if route in found else 'missing'}"
        for route in routes:
            kind = template.values(route["AuthorizationType"])
            if kind != (["JWT", "AWS_IAM"] if api == "Api" else ["NONE"]):
                yield f"{api}: {route['RouteKey']} is open to {kind}"
            if names(route["Target"]) != {f"{api}Integration"}:
                yield f"{api}: {route['RouteKey']} leads elsewhere"


def roles(template):
    """A scope and a policy of the same name allow the same routes, and each role all that the one below it may."""
    allowed = {role: [] for role in SCOPES}
    for name, statement in statements(template):
        if name in SCOPES:
            for resource in listed(statement["Resource"]):
                allowed[name].append(resource["Fn::Sub"].partition("/$default/")[2])
    for route in template.of("AWS::ApiGatewayV2::Route").values():
        if target(route["ApiId"]) != "Api":
            continue
        method, path = route["RouteKey"].split(" ")
        scopes = route["AuthorizationScopes"]["Fn::If"][1]
        # An id holds no slash, though a `*` of IAM would take one.
        sample = method + re.sub(r"\{[^}]+\}", "an-id", path)
        by_policy = [role for role in SCOPES if any(fnmatchcase(sample, one) for one in allowed[role])]
        by_scope = [role for role, scope in SCOPES.items() if scope in scopes]
        if by_policy != by_scope or by_scope != list(SCOPES)[-len(by_scope) :]:
            yield f"{route['RouteKey']}: its policies let in {by_policy}, its scopes {by_scope}"


def stages(template):
    for name, stage in template.of("AWS::ApiGatewayV2::Stage").items():
        logged = set(re.findall(r"\$context\.([A-Za-z.]+)", stage["AccessLogSettings"]["Format"]))
        if "routeKey" not in logged or logged - LOGGED:
            yield f"{name}: logs {sorted(logged - LOGGED) or 'no route'}"
    pages = template.resources["PagesStage"]["Properties"]
    wanted = {route for route in declared("preferences.rs") if " /u/" not in route}
    if set(pages.get("RouteSettings", {})) != wanted or "DefaultRouteSettings" in pages:
        yield f"PagesStage: throttles {sorted(pages.get('RouteSettings', {}))}, wanted {sorted(wanted)}"


def feedback(template):
    destinations = template.of("AWS::SES::ConfigurationSetEventDestination")
    for name, destination in destinations.items():
        events = destination["EventDestination"]["MatchingEventTypes"]
        if set(events) != EVENTS or not destination["EventDestination"].get("Enabled"):
            yield f"{name}: SES tells of {events}, wanted {sorted(EVENTS)}"
    for name, policy in template.of("AWS::SQS::QueuePolicy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            topic = {"ArnEquals": {"aws:SourceArn": {"Ref": "FeedbackTopic"}}}
            if statement.get("Condition") != topic or statement["Principal"] != {"Service": "sns.amazonaws.com"}:
                yield f"{name}: others than the topic may send"
    for statement in template.resources["FeedbackTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        held = names(statement.get("Condition"))
        if not {"AWS::AccountId", "ConfigurationSet"} <= held or statement["Principal"] != {"Service": "ses.amazonaws.com"}:
            yield "FeedbackTopicPolicy: others than our configuration set may publish"


def alarms(template):
    found = template.of("AWS::CloudWatch::Alarm")
    readme = (ROOT / "infra" / "README.md").read_text()
    watched = set()
    for name, alarm in found.items():
        for dimension in alarm["Dimensions"]:
            watched.add((alarm["MetricName"], target(dimension["Value"])))
        if [target(action) for action in alarm.get("AlarmActions", [])] != ["AlarmTopic"]:
            yield f"{name}: tells nobody"
        if f"`{name}`" not in readme:
            yield f"{name}: infra/README.md does not say what to do"
    wanted = {(metric, name) for metric in ("Errors", "Throttles") for name in FUNCTIONS}
    for name, queue in template.of("AWS::SQS::Queue").items():
        age = "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else "ApproximateNumberOfMessagesVisible"
        wanted.add((age, name))
    wanted |= {("5xx", "Api"), ("5xx", "Pages")}
    wanted |= {(f"Reputation.{rate}", "ConfigurationSet") for rate in ("BounceRate", "ComplaintRate")}
    for metric, name in sorted(wanted - watched):
        yield f"{name}: no alarm on {metric}"
