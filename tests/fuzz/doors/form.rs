//! What recipients send from their page.

use axum::{
    body::Body,
    extract::{Form, FromRequest},
    http::{Request, header},
};
use futures_util::FutureExt;
use germane::lambda::preferences::form::{Fields, Wish, read};

use super::{Door, given};
use crate::{mutate::Format, run::Answer};

pub static FORM: Door = Door {
    name: "form",
    format: Format::Text,
    words: &[
        "&",
        "=",
        "%",
        "%00",
        "+",
        "action=",
        "leave_all",
        "topic=",
        "cap=",
        "days=366",
        "do=remove",
        "4294967296",
    ],
    one_in: 1,
    documents: || {
        let forms = [
            "action=leave&topic=rust%2Fasync&channel=work&form=AAAA",
            "action=lower&cap=1%2F30",
            "action=pause&days=30",
            "action=join&topic=rust&channel=personal",
            "action=frequency&cap=none",
            "action=attribute&name=first_name&value=zq7-private%40example.com",
            "action=interest&topic=rust&context=any&strength=high",
            "action=addresses&work=zq7-private%40example.com&personal=",
            "action=time_zone&value=Europe%2FBerlin",
            "action=locale&value=de",
            "action=disown&product=course-rust-101",
            "action=erase_all",
            "List-Unsubscribe=One-Click",
        ];
        forms.iter().map(|form| form.as_bytes().to_vec()).collect()
    },
    open: || {
        let policy = given::policy();
        Box::new(move |input: &[u8]| {
            let request = Request::post("/p/t")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(input.to_vec()))
                .expect("it is a request");
            let fields = Form::<Vec<(String, String)>>::from_request(request, &()).now_or_never();
            let fields = match fields.expect("a body in memory is there at once") {
                Ok(Form(fields)) => fields,
                Err(error) => return Answer::Refused(error.to_string()),
            };
            match read(&Fields(fields), given::now()) {
                Ok(Wish::Act(act)) => {
                    let mut person = given::recipient();
                    let before = person.clone();
                    // Whether it may be done or not, the person stays whole.
                    let done = person.act(&act, &policy, given::now());
                    if done.is_err() {
                        assert_eq!(person, before, "what was not done changed something");
                    }
                    Answer::Taken
                }
                Ok(Wish::Look | Wish::Link | Wish::Download | Wish::AskErase | Wish::Erase) => Answer::Taken,
                // What stands in the field goes back to nobody but its own sender.
                Err(fault) => Answer::Refused(fault.error.to_owned()),
            }
        })
    },
};
