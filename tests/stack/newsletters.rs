//! Newsletters over HTTP, and over the end of their stack.

use serde_json::{Value, json};

use super::Site;
use crate::{
    cli::run::{Folder, Running},
    world::{NOW, campaign},
};

fn start(folder: &str, args: &[&str]) -> (Running, Site) {
    let mut stack = Running::start(&[&["local", "--port", "0", "--data", folder], args].concat());
    let url = stack.says("listening on ");
    (stack, Site::at(&url))
}

async fn campaigns(site: &Site) -> Vec<String> {
    let (_, list) = site.get("/v1/campaigns").await;
    let mut names: Vec<String> =
        list["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    names
}

fn newsletter() -> Value {
    json!({ "cron": "0 12 * * *", "time_zone": "Europe/Berlin", "campaign": campaign("rust-{{date}}") })
}

#[tokio::test]
async fn a_newsletter_goes_on_where_its_stack_was_killed() {
    let folder = Folder::in_memory();
    let data = folder.path("data");
    let (mut stack, site) = start(&data, &["--clock", NOW]);
    site.put_many(2).await;
    let (status, put) = site.put("/v1/newsletters/daily", &newsletter()).await;
    assert_eq!((status, &put["next_run"], &put["put_by"]), (200, &json!("2026-11-23T11:00:00Z"), &json!("local")));
    site.advance(3 * 3600).await;
    assert_eq!(site.complete("rust-2026-11-23").await["outcomes"]["sent"], 2);
    stack.signal("-KILL");
    stack.ends();

    let (_stack, site) = start(&data, &["--clock", NOW]);
    let told = site.get("/v1/newsletters/daily").await.1;
    assert_eq!(told["last_run"]["campaign"], "rust-2026-11-23");
    assert_eq!(told["next_run"], "2026-11-24T11:00:00Z");
    site.advance(24 * 3600).await;
    assert_eq!(site.complete("rust-2026-11-24").await["outcomes"]["sent"], 2);
    assert_eq!(campaigns(&site).await, ["rust-2026-11-23", "rust-2026-11-24"]);
}
