//! One person, the policy, and templates.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    api::{Api, ok, problem},
    run::{Folder, germane, germane_reading},
};

fn echo() -> Api {
    Api::new(|asked, _| match asked.method {
        Method::DELETE => (StatusCode::NO_CONTENT, "application/json", String::new()),
        Method::GET => ok(&json!({ "id": "r-1", "locale": "de" })),
        _ => ok(&serde_json::from_str::<Value>(&asked.body).unwrap()),
    })
}

#[test]
fn a_record_is_printed_as_json_either_way() {
    let plain = germane(&echo(), &["recipients", "get", "r-1"]);
    let json = germane(&echo(), &["recipients", "get", "r-1", "--json"]);
    assert_eq!((plain.code, plain.json(), json.json()), (0, json!({ "id": "r-1", "locale": "de" }), plain.json()));
}

#[test]
fn a_record_is_put_under_the_id_that_it_names() {
    let api = echo();
    let ended = germane_reading(&api, &["recipients", "put", "-"], r#"{ "id": "r-1", "locale": "de" }"#);
    assert_eq!((ended.code, ended.out.as_str()), (0, "r-1: stored\n"));
    assert_eq!(api.lines(), ["PUT /v1/recipients/r-1"]);
}

#[test]
fn a_record_without_a_usable_id_is_refused_before_anything_is_asked() {
    let api = echo();
    let ended = germane_reading(&api, &["recipients", "put", "-"], r#"{ "id": "someone@example.com" }"#);
    assert_eq!((ended.code, api.lines().len()), (2, 0));
    assert!(ended.err.contains("stdin /id: found a value of 19 characters, wanted 1 to 128"), "{}", ended.err);
}

#[test]
fn erasing_is_one_request_and_says_so() {
    let api = echo();
    let ended = germane(&api, &["recipients", "erase", "r-1", "--yes"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "r-1: erased\n"));
    let ended = germane(&api, &["recipients", "erase", "r-1", "--yes", "--json"]);
    assert_eq!(ended.json(), json!({ "id": "r-1", "result": "erased" }));
    assert_eq!(api.lines(), ["DELETE /v1/recipients/r-1", "DELETE /v1/recipients/r-1"]);
}

#[test]
fn without_a_terminal_to_ask_on_nobody_is_erased_unless_it_was_agreed_before() {
    let api = echo();
    let ended = germane_reading(&api, &["recipients", "erase", "r-1"], "y\n");
    assert_eq!((ended.code, ended.out.as_str(), api.lines().len()), (2, "", 0));
    insta::assert_snapshot!(ended.err, @r"
    error: there is no terminal to ask on, and it cannot be undone
    next: say --yes if it is meant
    ");
}

#[test]
fn an_export_is_one_request_and_its_document() {
    let api = echo();
    let ended = germane(&api, &["recipients", "export", "r-1"]);
    assert_eq!((ended.code, ended.json()), (0, json!({ "id": "r-1", "locale": "de" })));
    assert_eq!(api.lines(), ["GET /v1/recipients/r-1/export"]);
}

#[test]
fn who_put_the_policy_is_told_or_that_nobody_knows() {
    let told = |by: Value, at: Value| {
        let api = Api::new(move |_, _| ok(&json!({ "version": 4, "put_by": by, "put_at": at })));
        let ended = germane(&api, &["policy", "get", "--about"]);
        assert_eq!((ended.code, api.lines()), (0, vec!["GET /v1/policy?about=true".to_owned()]));
        ended.out
    };
    let known = told(json!("arn:aws:iam::000000000000:user/admin"), json!("2026-11-23T09:00:00Z"));
    assert_eq!(known, "version 4, put by arn:aws:iam::000000000000:user/admin at 23 November 2026, 09:00 UTC\n");
    assert_eq!(told(Value::Null, Value::Null), "version 4; who put it was not kept then\n");
}

#[test]
fn an_id_that_a_url_takes_for_another_place_is_asked_about_nowhere() {
    let api = echo();
    let ended = germane(&api, &["recipients", "erase", "..", "--yes"]);
    assert_eq!((ended.code, api.asked().len()), (2, 0), "{ended:?}");
}

#[test]
fn a_policy_is_put_and_its_version_told() {
    let api = Api::new(|_, _| ok(&json!({ "version": 4 })));
    let ended = germane_reading(&api, &["policy", "put", "-"], r#"{ "from": "news@example.com" }"#);
    assert_eq!((ended.code, ended.out.as_str()), (0, "policy version 4 is in force\n"));
    assert_eq!(api.lines(), ["PUT /v1/policy"]);
}

#[test]
fn a_template_that_is_not_there_is_bad_input() {
    let ended = Folder::new().germane(&echo(), &["templates", "push", "newsletter"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.err, @r"
    error: there is no template templates/newsletter
    next: name a template of --folder, or its folder
    ");
}

const MANIFEST: &str =
    "subject = \"{{headline}}\"\n[variables.headline]\ndescription = \"Title\"\nsample = \"Hello\"\n";
const BODY: &str = "<mjml><mj-body><mj-section><mj-column><mj-text>{{headline}} {{unsubscribe_url}} {{postal_address}} \
    {{preferences_url}} {{why}}</mj-text></mj-column></mj-section></mj-body></mjml>";

fn templates() -> Folder {
    let folder = Folder::new();
    let folder = folder.with("templates/b/template.toml", MANIFEST).with("templates/b/body.mjml", BODY);
    folder.with("templates/a/template.toml", MANIFEST).with("templates/a/body.mjml", BODY)
}

#[test]
fn templates_are_pushed_by_name_by_folder_or_all_in_order() {
    for (args, wanted) in [
        (&["templates", "push"][..], &["PUT /v1/templates/a", "PUT /v1/templates/b"][..]),
        (&["templates", "push", "b"], &["PUT /v1/templates/b"]),
        (&["templates", "push", "templates/b"], &["PUT /v1/templates/b"]),
        (&["templates", "push", "./templates"], &["PUT /v1/templates/a", "PUT /v1/templates/b"]),
    ] {
        let api = echo();
        let ended = templates().germane(&api, args);
        assert_eq!((ended.code, api.lines()), (0, wanted.iter().map(|line| (*line).to_owned()).collect()), "{ended:?}");
    }
}

#[test]
fn a_fault_that_the_api_finds_in_a_template_names_its_file() {
    let errors = json!([{ "field": "/mjml/default", "found": "{{nmae}}", "wanted": "a declared variable" }]);
    let api = Api::new(move |_, _| problem(422, "invalid", "The template has a fault", &errors));
    let ended = templates().germane(&api, &["templates", "push", "a"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.err, @r"
    error: The template has a fault
      templates/a/body.mjml /mjml/default: found {{nmae}}, wanted a declared variable
    ");
}

#[test]
fn a_template_is_rendered_here_without_any_api() {
    let folder = templates();
    let api = echo();
    let ended = folder.germane(&api, &["templates", "render", "a", "--html", "a.html"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "", "a.html is written\n"));
    assert!(folder.read("a.html").contains("Hello"));
    let ended = folder.germane(&api, &["templates", "render", "a"]);
    assert!(ended.code == 0 && ended.out.starts_with("Hello\n\n"), "{ended:?}");
    let ended = folder.germane(&api, &["templates", "render", "a", "--json"]);
    assert_eq!(ended.json()["subject"], "Hello");
    assert!(api.lines().is_empty());
}

#[test]
fn a_template_with_a_fault_is_not_rendered_and_the_file_is_named() {
    let folder = templates().with("templates/a/body.mjml", BODY.replace("{{headline}}", "{{nothing}}"));
    let ended = folder.germane(&echo(), &["templates", "render", "a"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("\n  templates/a/body.mjml"), "{}", ended.err);
}
