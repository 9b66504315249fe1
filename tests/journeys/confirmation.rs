//! Double opt-in: from a consent that is put as pending over the mail and its page to the first campaign.

use std::time::Duration;

use germane::{
    domain::consent::ConsentStatus,
    flow::api::recipients::{Evidence, Place},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::http::Site;
use crate::world::{World, campaign, person, policy, with};

/// Somebody who signed up and has not confirmed it.
fn newcomer(id: &str) -> Value {
    with(
        person(id),
        json!({ "consents": [{ "topic": "rust", "channel": "work", "status": "pending", "source": "signup-form" }] }),
    )
}

async fn put(site: &Site, document: &Value) {
    let path = format!("/v1/recipients/{}", document["id"].as_str().unwrap());
    assert_eq!(site.json(Method::PUT, &path, document).await.0, 200);
}

async fn statuses(site: &Site, id: &str) -> Vec<Value> {
    let (_, read) = site.get(&format!("/v1/recipients/{id}")).await;
    read["consents"].as_array().unwrap().iter().map(|consent| consent["status"].clone()).collect()
}

/// The paths of the links that were mailed to somebody, oldest first.
fn links(world: &World, id: &str) -> Vec<String> {
    let mails = world.services.ses.mails().into_iter().filter(|mail| mail.to == format!("{id}@example.com"));
    let link = |text: String| {
        let at = text.find("https://mail.example.com/c/")?;
        Some(text[at..].split_whitespace().next()?.trim_start_matches("https://mail.example.com").to_owned())
    };
    mails.filter_map(|mail| link(mail.text().unwrap())).collect()
}

/// The one link that was mailed to somebody.
fn link(world: &World, id: &str) -> String {
    let links = links(world, id);
    assert_eq!(links.len(), 1, "{id}");
    links.into_iter().next().unwrap()
}

async fn page(site: &Site, path: &str) -> (u16, String) {
    let answer = site.ask(Method::GET, path, "").await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// What a page's form says that it showed.
fn shown(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"shown\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Opens the page and presses its button, with other topics ticked.
async fn confirm(site: &Site, path: &str, also: &[&str]) -> (u16, String) {
    let (_, opened) = page(site, path).await;
    let shown = shown(&opened);
    let fields: Vec<_> = std::iter::once(("shown", shown.as_str())).chain(also.iter().map(|a| ("also", *a))).collect();
    site.press(path, &fields).await
}

async fn signed_up(document: &Value) -> Site {
    let site = Site::open().await;
    put(&site, document).await;
    site.world.drain().await;
    site
}

#[tokio::test]
async fn a_pending_consent_is_confirmed_by_the_button_alone_and_once() {
    let site = signed_up(&newcomer("r-1")).await;
    let world = &site.world;
    let path = link(world, "r-1");
    assert_eq!(world.send(&campaign("before")).await["reasons"], json!({ "consent_pending": 1 }));
    for method in [Method::HEAD, Method::GET] {
        assert_eq!(site.ask(method, &path, "").await.status().as_u16(), 200);
    }
    let (_, opened) = page(&site, &path).await;
    assert!(opened.contains("I want mail about Rust from Rust Weekly at my work address."), "{opened}");
    assert!(opened.contains("News and courses about Rust") && opened.contains("https://example.com/privacy"));
    assert_eq!((statuses(&site, "r-1").await, world.evidence("r-1").await.len()), (vec![json!("pending")], 1));

    world.clock.advance(Duration::from_hours(1));
    let (status, done) = confirm(&site, &path, &[]).await;
    assert_eq!((status, statuses(&site, "r-1").await), (200, vec![json!("granted")]));
    assert!(done.contains("Thank you, it is confirmed"), "{done}");
    let evidence = world.evidence("r-1").await;
    let [signed, confirmed] = evidence.as_slice() else { panic!("{evidence:?}") };
    let moved = |e: &Evidence| (e.before, e.after, e.place);
    assert_eq!(moved(signed), (None, Some(ConsentStatus::Pending), Place::Api));
    assert_eq!((signed.by.as_deref(), signed.source.as_deref()), (Some("anonymous"), Some("signup-form")));
    assert_eq!(moved(confirmed), (Some(ConsentStatus::Pending), Some(ConsentStatus::Granted), Place::Confirmation));
    assert_eq!((confirmed.text_version.as_deref(), confirmed.by.as_deref()), (Some("confirmation.en 1"), None));
    assert!(
        confirmed.text.as_ref().unwrap().starts_with("I want mail about Rust from Rust Weekly at my work address.")
    );
    assert!(confirmed.at > signed.at);

    for body in [vec![], vec![("shown", shown(&opened))]] {
        let fields: Vec<(&str, &str)> = body.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, again) = site.press(&path, &fields).await;
        assert!(status == 200 && again.contains("It is confirmed already"), "{again}");
    }
    assert_eq!(world.evidence("r-1").await, evidence, "once");
    assert_eq!(world.send(&campaign("after")).await["outcomes"]["sent"], 1);
    put(&site, &with(newcomer("r-1"), json!({ "locale": "fr" }))).await;
    assert_eq!(statuses(&site, "r-1").await, ["granted"], "what the person confirmed no import takes back");
}

#[tokio::test]
async fn two_at_once_confirm_once_also_while_an_import_changes_the_person() {
    let site = signed_up(&newcomer("r-1")).await;
    let path = link(&site.world, "r-1");
    let (_, opened) = page(&site, &path).await;
    let shown = shown(&opened);
    let fields = [("shown", shown.as_str())];
    let named = json!({ "id": "r-1", "attributes": { "first_name": "Sample" } });
    let import = site.world.put(std::slice::from_ref(&named));
    let (one, two, ()) = tokio::join!(site.press(&path, &fields), site.press(&path, &fields), import);
    assert_eq!((one.0, two.0), (200, 200));
    assert_eq!(statuses(&site, "r-1").await, ["granted"]);
    assert_eq!(site.world.evidence("r-1").await.len(), 2, "the sign-up and one confirmation");
    assert_eq!(site.get("/v1/recipients/r-1").await.1["attributes"], json!({ "first_name": "Sample" }));
}

#[tokio::test]
async fn a_put_that_is_repeated_asks_once() {
    let site = Site::open().await;
    put(&site, &newcomer("r-1")).await;
    put(&site, &newcomer("r-1")).await;
    site.world.put(&[newcomer("r-1")]).await;
    site.world.drain().await;
    let tags = site.world.services.ses.mails().iter().map(|mail| mail.tags["campaign"].clone()).collect::<Vec<_>>();
    assert_eq!(tags.len(), 1);
    put(&site, &newcomer("r-1")).await;
    site.world.clock.advance(Duration::from_hours(48));
    put(&site, &newcomer("r-1")).await;
    site.world.drain().await;
    assert_eq!(site.world.services.ses.mails().len(), 1, "nor once it was mailed");
    assert_eq!(site.world.evidence("r-1").await.len(), 1);
}

#[tokio::test]
async fn nobody_is_asked_twice_in_30_days_whatever_is_put() {
    let site = signed_up(&newcomer("r-1")).await;
    for hours in [1, 24, 24 * 20] {
        site.world.clock.advance(Duration::from_hours(hours));
        let at = site.world.deployment.clock.now();
        put(
            &site,
            &with(
                newcomer("r-1"),
                json!({ "consents": [{ "topic": "rust", "channel": "work", "status": "pending", "at": at }] }),
            ),
        )
        .await;
        site.world.drain().await;
    }
    assert_eq!(links(&site.world, "r-1").len(), 1);
}

#[tokio::test]
async fn what_lapsed_or_was_withdrawn_meanwhile_is_said_so_and_grants_nothing() {
    let site = Site::open().await;
    for id in ["late", "left", "gone", "none", "all", "moved"] {
        put(&site, &newcomer(id)).await;
    }
    site.world.drain().await;
    let path = |id: &str| link(&site.world, id);
    let opened = page(&site, &path("late")).await.1;
    let shown = shown(&opened);

    let mail = site.world.services.ses.mails().into_iter().find(|mail| mail.to == "left@example.com").unwrap();
    let leave = mail.headers()["List-Unsubscribe"].trim_matches(['<', '>']).to_owned();
    let leave = leave.strip_prefix("https://mail.example.com").unwrap();
    assert_eq!(site.ask(Method::POST, leave, "List-Unsubscribe=One-Click").await.status(), 200);
    site.ask(Method::DELETE, "/v1/recipients/gone", "").await;
    put(&site, &json!({ "id": "none", "consents": null })).await;
    put(&site, &json!({ "id": "moved", "addresses": { "work": "new@example.com" } })).await;
    let suppression = germane::domain::recipient::Suppression {
        kind: germane::domain::recipient::SuppressionKind::UnsubscribedAll,
        since: site.world.deployment.clock.now(),
    };
    site.world.change("all", |profile| profile.suppression = Some(suppression)).await;
    // Of 14 days that the policy gives.
    site.world.clock.advance(Duration::from_mins(14 * 24 * 60 - 1));
    assert!(page(&site, &path("late")).await.1.contains("<button class=\"main\">"));
    site.world.clock.advance(Duration::from_secs(61));

    let mut told = Vec::new();
    for id in ["late", "left", "gone", "none", "all", "moved"] {
        let before = site.world.evidence(id).await;
        let asked = page(&site, &path(id)).await;
        let pressed = site.press(&path(id), &[("shown", &shown), ("also", "rust")]).await;
        assert_eq!(asked, pressed, "{id}");
        assert!(!asked.1.contains("<button class=\"main\">"), "{id}");
        assert_eq!(site.world.evidence(id).await, before, "{id}");
        let title = asked.1.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned();
        told.push((id, asked.0, title));
    }
    let told: Vec<_> = told.iter().map(|(id, status, title)| (*id, *status, title.as_str())).collect();
    assert_eq!(
        told,
        [
            ("late", 200, "This link came too late"),
            ("left", 200, "There is nothing to confirm"),
            ("gone", 404, "This link does not work"),
            ("none", 200, "There is nothing to confirm"),
            ("all", 200, "There is nothing to confirm"),
            ("moved", 404, "This link does not work"),
        ]
    );
    assert_eq!(statuses(&site, "late").await, ["pending"]);
    let campaign = with(campaign("after"), json!({ "audience": { "recipients": ["late"] } }));
    assert_eq!(site.world.send(&campaign).await["reasons"], json!({ "consent_pending": 1 }));
}

#[tokio::test]
async fn one_mail_asks_about_everything_that_waits_and_nothing_is_ticked() {
    let pending = |topic: &str| json!({ "topic": topic, "channel": "work", "status": "pending" });
    let all = json!({ "consents": [pending("rust/async"), pending("rust/embedded"), pending("rust/web")] });
    let site = signed_up(&with(person("r-1"), all)).await;
    let path = link(&site.world, "r-1");
    let (_, opened) = page(&site, &path).await;
    assert_eq!(opened.matches("<input type=\"checkbox\"").count(), 2);
    assert!(!opened.contains("checked"));
    let own = ["rust/async", "rust/embedded", "rust/web"]
        .into_iter()
        .find(|topic| !opened.contains(&format!("value=\"{topic}\"")))
        .unwrap();
    let ticked = if own == "rust/web" { "rust/async" } else { "rust/web" };
    let (_, done) = confirm(&site, &path, &[ticked, "rust", "no such topic"]).await;
    assert_eq!(done.matches("<li>").count(), 2, "{done}");
    let (_, read) = site.get("/v1/recipients/r-1").await;
    let granted: Vec<&str> = read["consents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|consent| consent["status"] == "granted")
        .map(|consent| consent["topic"].as_str().unwrap())
        .collect();
    assert!(granted.len() == 2 && granted.contains(&own) && granted.contains(&ticked), "{granted:?}");
    // The third can be confirmed still, by the same link.
    assert_eq!(done.matches("<input type=\"checkbox\"").count(), 1);
    let rest = opened.split("name=\"also\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let rest = rest.filter(|topic| *topic != ticked).collect::<Vec<_>>();
    confirm(&site, &path, &rest).await;
    assert_eq!(statuses(&site, "r-1").await, ["granted", "granted", "granted"]);
    assert_eq!(site.world.evidence("r-1").await.len(), 6);
}

#[tokio::test]
async fn a_yes_counts_only_for_what_the_page_showed() {
    let site = signed_up(&newcomer("r-1")).await;
    let path = link(&site.world, "r-1");
    let (_, opened) = page(&site, &path).await;
    let changed = json!({ "topics": { "rust": { "purpose": { "en": "Something else" } } } });
    site.world.put_policy(&with(policy(), changed)).await;
    for fields in [vec![("shown", shown(&opened))], vec![], vec![("shown", "x".to_owned())]] {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (_, again) = site.press(&path, &fields).await;
        assert!(again.contains("Something else") && again.contains("<button class=\"main\">"), "{again}");
        assert_eq!(statuses(&site, "r-1").await, ["pending"]);
    }
    confirm(&site, &path, &[]).await;
    let evidence = site.world.evidence("r-1").await;
    assert!(evidence[1].text.as_ref().unwrap().contains("Something else"));
}

#[tokio::test]
async fn three_hundred_sign_ups_in_one_request_are_one_campaign_that_no_list_shows() {
    let site = Site::open().await;
    let world = &site.world;
    let people: Vec<Value> = (0..300).map(|n| newcomer(&format!("r-{n:03}"))).collect();
    world.put(&people).await;
    // A request whose answer was lost.
    world.put(&people).await;
    world.drain().await;
    let mails = world.services.ses.mails();
    let campaigns: std::collections::BTreeSet<_> = mails.iter().map(|mail| mail.tags["campaign"].clone()).collect();
    assert_eq!((mails.len(), campaigns.len()), (300, 1));
    assert_eq!(site.get("/v1/campaigns").await.1["items"], json!([]));
    let tag = campaigns.into_iter().next().unwrap();
    let id = String::from_utf8(base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, tag).unwrap());
    let id = id.unwrap();
    let report = world.check(&id).await;
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(300)));
    for mail in &mails {
        let headers = mail.headers();
        assert!(headers.contains_key("List-Unsubscribe") && headers.contains_key("List-Unsubscribe-Post"));
    }
}

#[tokio::test]
async fn an_export_tells_of_a_campaign_that_no_list_shows() {
    let site = signed_up(&newcomer("r-1")).await;
    let (_, export) = site.get("/v1/recipients/r-1/export").await;
    let campaign = export["decisions"][0]["campaign"].as_str().unwrap();
    assert!(campaign.starts_with("confirm."), "{export}");
    assert_eq!(export["decisions"].as_array().unwrap().len(), 1);
    // Also once the person's history has forgotten it, and in nobody else's export.
    site.world.clock.advance(Duration::from_hours(40 * 24));
    assert_eq!(site.get("/v1/recipients/r-1/export").await.1["decisions"], export["decisions"]);
    put(&site, &person("r-2")).await;
    assert_eq!(site.get("/v1/recipients/r-2/export").await.1["decisions"], json!([]));
    let named: Vec<_> = export["recipient"]["sends"].as_array().unwrap().iter().collect();
    assert_eq!((&named[0]["campaign"], &named[1]["notice"]), (&json!(campaign), &json!("confirm-consent")));
}

#[tokio::test]
async fn mail_and_page_are_in_the_language_of_whoever_is_asked() {
    let names =
        json!({ "topics": { "rust": { "name": { "de": "Rust für alle" }, "purpose": { "de": "Neues & <Kurse>" } } } });
    let site = Site::open().await;
    site.world.put_policy(&with(policy(), names)).await;
    put(&site, &with(newcomer("r-1"), json!({ "locale": "de-AT" }))).await;
    site.world.drain().await;
    let mail = site.world.services.ses.mails().into_iter().next().unwrap();
    assert_eq!(mail.subject, "Bitte bestätigen: Rust für alle");
    assert!(
        mail.html().unwrap().contains("Neues &amp; &lt;Kurse&gt;") && mail.text().unwrap().contains("Neues & <Kurse>")
    );
    let path = link(&site.world, "r-1");
    let (_, opened) = page(&site, &path).await;
    assert!(opened.contains("<html lang=\"de\">") && opened.contains("an meine berufliche Adresse"), "{opened}");
    assert!(opened.contains("Neues &amp; &lt;Kurse&gt;"), "{opened}");
    confirm(&site, &path, &[]).await;
    assert_eq!(site.world.evidence("r-1").await[1].text_version.as_deref(), Some("confirmation.de 1"));
}

#[tokio::test]
async fn where_nobody_can_be_asked_the_consent_stays_pending_and_the_put_succeeds() {
    let site = Site::open().await;
    site.world.put_policy(&with(policy(), json!({ "notices": [] }))).await;
    put(&site, &newcomer("r-1")).await;
    site.world.put_policy(&with(policy(), json!({ "topics": { "rust": { "channels": ["personal"] } } }))).await;
    put(&site, &newcomer("r-2")).await;
    site.world.drain().await;
    assert!(site.world.services.ses.mails().is_empty());
    assert_eq!(statuses(&site, "r-1").await, ["pending"]);
    // Once it can be asked about, the next import does so.
    site.world.put_policy(&policy()).await;
    site.world.put(&[newcomer("r-1")]).await;
    site.world.drain().await;
    confirm(&site, &link(&site.world, "r-1"), &[]).await;
    assert_eq!(statuses(&site, "r-1").await, ["granted"]);
}

#[tokio::test]
async fn a_link_is_good_for_its_purpose_and_its_person_alone() {
    let site = Site::open().await;
    put(&site, &newcomer("r-1")).await;
    put(&site, &newcomer("r-2")).await;
    site.world.drain().await;
    let (one, two) = (link(&site.world, "r-1"), link(&site.world, "r-2"));
    let (one, seal) = one.rsplit_once('.').unwrap();
    let (token, other) = two.rsplit_once('.').unwrap();
    for forged in [
        one.to_owned(),
        format!("{one}.{other}"),
        format!("{token}.{seal}"),
        format!("{one}.{seal}x"),
        format!("{one}.{seal}").replace("/c/", "/u/"),
        "/c/none".to_owned(),
    ] {
        assert_eq!(page(&site, &forged).await.0, 404, "{forged}");
        assert_eq!(site.press(&forged, &[]).await.0, 404, "{forged}");
    }
}

#[tokio::test]
async fn each_change_of_a_consent_is_kept_with_who_where_when_and_what() {
    let site = Site::open().await;
    let consent = |status: &str, evidence: &str| json!([{ "topic": "rust", "channel": "work", "status": status, "source": "form", "evidence": evidence }]);
    site.world.put(&[with(person("r-1"), json!({ "consents": consent("granted", "form v3") }))]).await;
    site.world.clock.advance(Duration::from_secs(5));
    put(&site, &json!({ "id": "r-1", "consents": null })).await;
    site.world.clock.advance(Duration::from_secs(5));
    put(&site, &json!({ "id": "r-1", "consents": consent("withdrawn", "by phone") })).await;
    put(&site, &json!({ "id": "r-1", "consents": null })).await;
    let evidence = site.world.evidence("r-1").await;
    let told: Vec<_> = evidence
        .iter()
        .inspect(|e| assert!(e.at <= e.recorded_at && e.recorded_at.as_second() - e.at.as_second() < 2, "{e:?}"))
        .map(|e| (e.before, e.after, e.place, e.by.as_deref().unwrap(), e.text.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (None, Some(ConsentStatus::Granted), Place::Import, "a test", Some("form v3")),
            (Some(ConsentStatus::Granted), None, Place::Api, "anonymous", None),
            (None, Some(ConsentStatus::Withdrawn), Place::Api, "anonymous", Some("by phone")),
        ]
    );
    let (_, read) = site.get("/v1/recipients/r-1").await;
    assert_eq!(
        (&read["consents"][0]["status"], &read["consents"][0]["evidence"]),
        (&json!("withdrawn"), &json!("by phone"))
    );
}

#[tokio::test]
async fn no_log_names_an_address_or_a_link() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    let guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
    let site = signed_up(&newcomer("r-1")).await;
    let path = link(&site.world, "r-1");
    confirm(&site, &path, &[]).await;
    confirm_again_and_astray(&site, &path).await;
    site.world.put_policy(&with(policy(), json!({ "notices": [] }))).await;
    put(&site, &newcomer("r-2")).await;
    site.world.put_policy(&with(policy(), json!({ "topics": { "rust": { "channels": ["personal"] } } }))).await;
    put(&site, &newcomer("r-3")).await;
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<&str> = text.lines().filter(|line| line.contains(" germane::")).collect();
    assert_eq!(ours.iter().filter(|line| line.contains("stay unconfirmed")).count(), 2, "{ours:#?}");
    let token = path.trim_start_matches("/c/");
    for line in ours {
        assert!(!line.contains("@example.com") && !line.contains(token) && !line.contains("r-1@"), "{line}");
    }
}

async fn confirm_again_and_astray(site: &Site, path: &str) {
    for path in [path, &format!("{path}x")] {
        site.press(path, &[]).await;
    }
}

#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
