//! Every operation, in the order of the document.

use utoipa::openapi::HttpMethod::{Delete, Get, Post, Put};

use super::{
    attributes::{self, AttributesPart, Deleted},
    campaign::{Campaign, Trial},
    decision::Why,
    doctor::{self, Checked, Readiness},
    examples,
    newsletter::{Newsletter, NewsletterChange, NewsletterList},
    operation::{Described, Op},
    policy::{Policy, PolicyTold, PolicyVersion},
    privacy::{Export, Suppression, SuppressionLine, SuppressionNote, SuppressionResult},
    recipient::{self, LineResult, Recipient, RecipientChange},
    report::{Accepted, CampaignList, DecisionList, Moved, PreviewAccepted, PreviewReport, Report, TestMail},
    template::{Template, TemplatePut},
    words::{Cursor, Document, Flag, Name, Time, Token},
};
use crate::{
    domain::{
        decision::{OutcomeKind, ReasonCode},
        email::EmailAddress,
        id::{CampaignId, NewsletterId, RecipientId, TemplateName},
        report::CampaignStatus,
        topic::Topic,
    },
    flow::api::Code,
};

pub fn operations() -> Vec<Described> {
    let api = [
        campaigns(),
        newsletters(),
        decisions(),
        previews(),
        recipients(),
        suppressions(),
        unneeded(),
        rules(),
        readiness(),
        about(),
    ];
    let api = api.into_iter().flatten().map(|op| op.refuses(&[Code::Unavailable]));
    api.chain(preferences()).map(Op::done).collect()
}

fn campaigns() -> Vec<Op> {
    vec![
        Op::new(Post, "/v1/campaigns", "campaigns", "submit_campaign", "Submit a campaign")
            .says(
                "Stores the campaign and queues its launch. The same body with the same id again answers the same and \
                 doubles nothing.",
            )
            .query::<Token>(
                "preview",
                "The `preview_token` of a preview: submits only if nothing that it names changed.",
            )
            .body::<Campaign>(examples::campaign())
            .answers::<Accepted>(202, "It is stored, and will be launched.", examples::accepted())
            .refuses(&[Code::IdTaken, Code::ChangedSincePreview, Code::NoPolicy, Code::Invalid, Code::UnknownTopic]),
        Op::new(Get, "/v1/campaigns", "campaigns", "list_campaigns", "List campaigns")
            .query::<Cursor>("cursor", "From the part before; absent for the first.")
            .says("Without those by which the product asks people to confirm a pending consent.")
            .answers::<CampaignList>(200, "Newest first.", examples::campaigns()),
        Op::new(Get, "/v1/campaigns/{id}", "campaigns", "get_report", "Read a campaign's report")
            .named::<CampaignId>("id")
            .answers::<Report>(200, "How it stands.", examples::report())
            .refuses(&[Code::NotFound]),
        command("/v1/campaigns/{id}/pause", "pause_campaign", "Pause a campaign", CampaignStatus::Paused).says(
            "No new mail is begun within about a second; those on their way are finished and recorded. Asked again, it \
             answers the same.",
        ),
        command("/v1/campaigns/{id}/resume", "resume_campaign", "Resume a campaign", CampaignStatus::Launching).says(
            "It goes on where it stopped, whoever or whatever paused it. A campaign that is launched or waits for its \
             launch is queued again.",
        ),
        command("/v1/campaigns/{id}/cancel", "cancel_campaign", "Cancel a campaign", CampaignStatus::Cancelled).says(
            "For good. Whoever was deferred is told as skipped, reason `campaign_cancelled`. Asked again, it answers \
             the same.",
        ),
        trial(),
    ]
}

fn trial() -> Op {
    Op::new(Post, "/v1/campaigns/{id}/test", "campaigns", "test_campaign", "Mail a test of a campaign")
        .says(
            "Mails one person's mail to a test address of the policy. Nobody is claimed and nothing recorded, the gates \
             are not asked, and the links in it lead to a page that says that it was a test. A campaign that was not \
             submitted comes in `campaign`. It is not repeated by itself; `in_doubt` may have been sent.",
        )
        .named::<CampaignId>("id")
        .body::<Trial>(examples::trial())
        .answers::<TestMail>(200, "It was handed to SES.", examples::tried())
        .refuses(&[Code::NotFound, Code::NotSent, Code::NoPolicy, Code::Invalid, Code::UnknownTopic])
}

fn command(path: &'static str, id: &str, summary: &str, then: CampaignStatus) -> Op {
    Op::new(Post, path, "campaigns", id, summary)
        .named::<CampaignId>("id")
        .answers::<Moved>(200, "The status that it now has.", examples::moved(then))
        .refuses(&[Code::NotFound, Code::IllegalMove, Code::Contended])
}

fn newsletters() -> Vec<Op> {
    vec![
        Op::new(Get, "/v1/newsletters", "newsletters", "list_newsletters", "List newsletters")
            .query::<Cursor>("cursor", "From the part before; absent for the first.")
            .answers::<NewsletterList>(200, "In the order of their ids.", examples::newsletters()),
        Op::new(Put, "/v1/newsletters/{id}", "newsletters", "put_newsletter", "Put a newsletter")
            .says(
                "Takes the place of the one that was there; a run that is submitted already stays as it is. The campaign \
                 is checked as that of the next run. Each run is checked again: one that the policy of its day refuses \
                 is told in `last_run`, and not tried again.",
            )
            .named::<NewsletterId>("id")
            .body::<NewsletterChange>(examples::newsletter_put())
            .answers::<Newsletter>(200, "It runs.", examples::newsletter())
            .refuses(&[Code::NoPolicy, Code::Contended, Code::Invalid, Code::UnknownTopic]),
        Op::new(Get, "/v1/newsletters/{id}", "newsletters", "get_newsletter", "Read a newsletter")
            .named::<NewsletterId>("id")
            .answers::<Newsletter>(200, "As it was put, and how it stands.", examples::newsletter())
            .refuses(&[Code::NotFound]),
        Op::new(Delete, "/v1/newsletters/{id}", "newsletters", "delete_newsletter", "End a newsletter")
            .says("Its campaigns go on.")
            .named::<NewsletterId>("id")
            .answers_nothing("It runs no more.")
            .refuses(&[Code::NotFound, Code::Contended]),
    ]
}

fn decisions() -> Vec<Op> {
    vec![
        Op::new(Get, "/v1/campaigns/{id}/decisions", "decisions", "list_decisions", "List a campaign's decisions")
            .says("Who was erased since is not among them.")
            .named::<CampaignId>("id")
            .query::<OutcomeKind>("outcome", "Only those with this outcome.")
            .query::<ReasonCode>("reason", "Only those with this reason.")
            .query::<Cursor>("cursor", "From the part before; absent for the first.")
            .answers::<DecisionList>(200, "In no order that means anything.", examples::decisions())
            .refuses(&[Code::NotFound, Code::Invalid]),
        Op::new(
            Get,
            "/v1/campaigns/{id}/decisions/{recipient}",
            "decisions",
            "get_decision",
            "Why one person got it, or did not",
        )
        .named::<CampaignId>("id")
        .named::<RecipientId>("recipient")
        .query::<Flag>("all", "Whether every gate's verdict as of now comes beside the decision of record.")
        .answers::<Why>(200, "The decision of record.", examples::decision())
        .refuses(&[Code::NotFound, Code::NotEvaluated, Code::NoPolicy, Code::Invalid]),
    ]
}

fn previews() -> Vec<Op> {
    vec![
        Op::new(Post, "/v1/previews", "previews", "preview_campaign", "Preview a campaign")
            .says("Takes the body of a campaign, whether or not its id was used.")
            .query::<Time>("at", "The moment to decide for; absent for now.")
            .body::<Campaign>(examples::campaign())
            .answers::<PreviewAccepted>(202, "It is stored, and will be worked out.", examples::preview_accepted())
            .refuses(&[Code::NoPolicy, Code::Invalid, Code::UnknownTopic]),
        Op::new(Get, "/v1/previews/{id}", "previews", "get_preview", "Read a preview")
            .named::<Token>("id")
            .answers::<PreviewReport>(200, "How far it is.", examples::preview())
            .refuses(&[Code::NotFound]),
    ]
}

fn recipients() -> Vec<Op> {
    vec![
        Op::new(Post, "/v1/recipients", "recipients", "put_recipients", "Put recipients in bulk")
            .says(
                "Merges each line as a PUT of it would; a line that is refused does not keep the others from theirs. \
                 Consents that are `pending` are confirmed by their people, as with a PUT: one mail each.",
            )
            .lines::<RecipientChange>(
                "JSON Lines: a recipient with its `id` on each, at most 1,000 lines and 5 MiB.",
                &examples::recipient_lines(),
            )
            .answers_lines::<LineResult>("An answer for each line, in their order.", &examples::line_results())
            .refuses(&[Code::NoPolicy]),
        Op::new(Put, "/v1/recipients/{id}", "recipients", "put_recipient", "Put a recipient")
            .says(
                "Merges into what is held: absent means unchanged, null means removed, lists merge by their keys. A \
                 consent that is `pending` is confirmed by the person: one mail with the template `confirm-consent` asks \
                 for it, at most once in 30 days. Where that template is not pushed or not among the policy's notices, \
                 the consent stays pending.",
            )
            .named::<RecipientId>("id")
            .body::<RecipientChange>(examples::recipient())
            .answers::<recipient::Put>(200, "It is held.", examples::recipient_put())
            .refuses(&[
                Code::NoPolicy,
                Code::AddressTaken,
                Code::ErasedAddress,
                Code::Contended,
                Code::Invalid,
                Code::UnknownTopic,
            ]),
        Op::new(Get, "/v1/recipients/{id}", "recipients", "get_recipient", "Read a recipient")
            .named::<RecipientId>("id")
            .answers::<Recipient>(200, "All that is known of the person.", examples::recipient())
            .refuses(&[Code::NotFound]),
        Op::new(Delete, "/v1/recipients/{id}", "recipients", "erase_recipient", "Erase a recipient")
            .says(
                "Deletes the person and the evidence, and with them the only link from decisions to the person. Their \
                 addresses cannot be put again.",
            )
            .named::<RecipientId>("id")
            .answers_nothing("Nothing is held any more.")
            .refuses(&[Code::NotFound, Code::Contended]),
        Op::new(Get, "/v1/recipients/{id}/export", "recipients", "export_recipient", "Give out all that is held")
            .says("For the person's own eyes: it holds their addresses, and everything that was recorded of them.")
            .named::<RecipientId>("id")
            .answers::<Export>(200, "All that is held about the person.", examples::export())
            .refuses(&[Code::NotFound]),
    ]
}

fn suppressions() -> Vec<Op> {
    let one = "/v1/suppressions/{address}";
    vec![
        Op::new(Post, "/v1/suppressions", "suppressions", "put_suppressions", "Suppress addresses in bulk")
            .says("Does with each line what a PUT of it would; a line that is refused keeps no other from its.")
            .lines::<SuppressionLine>(
                "JSON Lines: an address on each, at most 1,000 lines and 5 MiB.",
                &examples::suppression_lines(),
            )
            .answers_lines::<SuppressionResult>(
                "An answer for each line, in their order.",
                &examples::suppression_results(),
            ),
        Op::new(Put, one, "suppressions", "put_suppression", "Suppress an address")
            .says(
                "Whoever has the address, or is given it later, gets no mail, at none of their addresses. Stored is a \
                 keyed hash. A suppression that weighs more (`complaint`, `unsubscribed_all`, `erased`) stays.",
            )
            .named::<EmailAddress>("address")
            .body_if_any::<SuppressionNote>(examples::suppression_note())
            .answers::<Suppression>(200, "The suppression that now stands.", examples::suppression())
            .refuses(&[Code::Invalid, Code::Contended]),
        Op::new(Get, one, "suppressions", "get_suppression", "Read a suppression")
            .named::<EmailAddress>("address")
            .answers::<Suppression>(200, "Why the address is not mailed.", examples::suppression())
            .refuses(&[Code::NotFound, Code::Invalid]),
        Op::new(Delete, one, "suppressions", "lift_suppression", "Lift a manual suppression")
            .says("Every other kind is the recipient's own word, or the law's, and stays.")
            .named::<EmailAddress>("address")
            .answers_nothing("It is lifted.")
            .refuses(&[Code::NotFound, Code::NotLiftable, Code::Invalid, Code::Contended]),
    ]
}

fn unneeded() -> Vec<Op> {
    vec![
        Op::new(Get, "/v1/attributes", "recipients", "list_attributes", "See what is held and not used")
            .says(
                "How many people hold each attribute and interest, and which templates and campaigns of the retention \
                 time used them: a part of all people, in no order. Ask again with the cursor and add up.",
            )
            .query::<Cursor>("cursor", "From the part before; absent for the first.")
            .query::<Flag>("idle", "Whether the ids of those for whom none of the campaigns would be are listed.")
            .answers::<AttributesPart>(200, "Of this part.", attributes::part())
            .refuses(&[Code::NoPolicy, Code::Invalid]),
        Op::new(Delete, "/v1/attributes/{name}", "recipients", "delete_attribute", "Delete an attribute of everybody")
            .says(
                "Deletes it of a part of all people; ask again with the cursor until it is null. Take it out of the \
                 policy first, or the next import may bring it back.",
            )
            .named::<Name>("name")
            .query::<Cursor>("cursor", "From the part before; absent for the first.")
            .answers::<Deleted>(200, "Nobody of this part holds it any more.", attributes::deleted())
            .refuses(&[Code::Contended, Code::Invalid]),
        Op::new(Delete, "/v1/interests", "recipients", "delete_interest", "Delete an interest of everybody")
            .says("As with an attribute. Interests in topics below this one stay.")
            .query::<Topic>("topic", "The topic; it has to be there.")
            .query::<Cursor>("cursor", "From the part before; absent for the first.")
            .answers::<Deleted>(200, "Nobody of this part holds it any more.", attributes::deleted())
            .refuses(&[Code::Contended, Code::Invalid]),
    ]
}

fn rules() -> Vec<Op> {
    vec![
        Op::new(Put, "/v1/policy", "rules", "put_policy", "Put the policy")
            .says("Replaces the whole policy by a new version, which binds the next page that is decided on.")
            .body::<Policy>(examples::policy())
            .answers::<PolicyVersion>(200, "It binds.", examples::policy_version())
            .refuses(&[Code::Invalid]),
        Op::new(Get, "/v1/policy", "rules", "get_policy", "Read the policy")
            .says("As it can be put again.")
            .query::<Flag>("about", "Whether who put it comes in its place.")
            .answers_tagged::<PolicyTold>("With every default written out.", "Its version, quoted.", examples::policy())
            .refuses(&[Code::NotFound, Code::Invalid]),
        Op::new(Put, "/v1/templates/{name}", "rules", "put_template", "Put a template")
            .says("Compiles the template and puts it in place for campaigns that are launched from now on.")
            .named::<TemplateName>("name")
            .body::<Template>(examples::template())
            .answers::<TemplatePut>(200, "It is in place.", examples::template_put())
            .refuses(&[Code::NoPolicy, Code::Invalid]),
        Op::new(Get, "/v1/templates/{name}", "rules", "get_template", "Read a template")
            .named::<TemplateName>("name")
            .answers::<Template>(200, "As it was put last.", examples::template())
            .refuses(&[Code::NotFound]),
    ]
}

fn readiness() -> Vec<Op> {
    vec![
        Op::new(Get, "/v1/doctor", "readiness", "examine", "Say what is ready for the first send")
            .says(
                "Looks at the tables, the policy, the sender's identity, the account, the events and the templates. Each \
                 check answers by itself: one that could not be made is `unknown`, and counts as not ready.",
            )
            .answers::<Readiness>(200, "What was found, ready or not.", doctor::readiness()),
        Op::new(Post, "/v1/doctor/order", "readiness", "verify_order", "Try out that SES answers in order")
            .says(
                "Sends three mails to SES's simulator, with one among them that SES must refuse, in one call: outcomes \
                 are told by the place of SES's answers. Nobody else is mailed. The mails count for the rate and the quota.",
            )
            .answers::<Checked>(200, "What SES answered; the check is `order`.", doctor::order()),
    ]
}

fn about() -> Vec<Op> {
    vec![
        Op::new(Get, "/v1/openapi.json", "about", "get_openapi", "Read this document")
            .answers::<Document>(200, "OpenAPI 3.1.", examples::document())
            .refuses(&[Code::Internal]),
    ]
}

fn preferences() -> Vec<Op> {
    vec![
        Op::new(Get, "/u/{token}", "preferences", "confirm_unsubscribe", "Ask before unsubscribing")
            .says("Changes nothing: scanners follow links.")
            .named::<Token>("token")
            .shows(200, "A page with a button.")
            .shows(404, "The token is not one of ours, or nobody is there whom it names.")
            .shows(503, "It could not be read: try again."),
        Op::new(Post, "/u/{token}", "preferences", "unsubscribe", "Unsubscribe with one click (RFC 8058)")
            .says("Withdraws the consent that justified the mail, whatever the body says; no later claim succeeds.")
            .named::<Token>("token")
            .shows(200, "They are unsubscribed.")
            .shows(404, "The token is not one of ours, or nobody is there whom it names.")
            .shows(503, "It could not be saved: try again."),
        Op::new(Get, "/p/{token}", "preferences", "show_preferences", "Show the preference page")
            .says(
                "Changes nothing. A link from a mail shows why it was sent and may only reduce, since mails get forwarded; \
                 one that was mailed on request shows everything that is held, for an hour.",
            )
            .named::<Token>("token")
            .shows(200, "The page.")
            .shows(404, "The token is not one of ours, or nobody is there whom it names.")
            .shows(410, "The hour is over; another link can be mailed.")
            .shows(503, "It could not be read: try again."),
        Op::new(Post, "/p/{token}", "preferences", "change_preferences", "Do what was chosen on the preference page")
            .says("Takes the page's own forms, urlencoded. It beats every campaign and every import.")
            .named::<Token>("token")
            .shows(200, "The page as it is then, or everything that is held as a file of JSON.")
            .shows(403, "It was not sent from a page of ours.")
            .shows(404, "The token is not one of ours, or nobody is there whom it names.")
            .shows(410, "The hour is over; another link can be mailed.")
            .shows(422, "The page, saying what is wrong with what was chosen.")
            .shows(503, "It could not be saved: try again."),
        Op::new(Get, "/c/{token}", "preferences", "ask_consent", "Ask before a consent is confirmed")
            .says(
                "Changes nothing: scanners follow links. It asks about the pending consent that the mail was about, and \
                 offers the others that wait on the same channel.",
            )
            .named::<Token>("token")
            .shows(200, "A page with a button, or that there is nothing to confirm any more.")
            .shows(404, "The token is not one of ours, or went to an address that is no longer held.")
            .shows(503, "It could not be read: try again."),
        Op::new(Post, "/c/{token}", "preferences", "confirm_consent", "Confirm a consent (double opt-in)")
            .says(
                "Grants, once, what still waits. The form names what the page showed (`shown`) and which others were \
                 ticked (`also`); if the page would say something else by now, it is shown again and nothing is granted.",
            )
            .named::<Token>("token")
            .shows(200, "It is granted, or nothing was left to grant.")
            .shows(404, "The token is not one of ours, or went to an address that is no longer held.")
            .shows(403, "It was not sent from a page of ours.")
            .shows(503, "It could not be saved: try again."),
    ]
}
