//! `germane templates`: pushes templates to the API, or renders one here to look at.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    domain::{door, id::TemplateName, policy::Policy},
    flow::template::{Source, compile, render},
    local::templates::{FileFault, file_of, read_folder, read_one},
};

use super::{
    client::Client,
    failure::{Failure, Fault},
    prose::counted,
    screen::Screen,
};

/// The file by which a folder is a template.
const MANIFEST: &str = "template.toml";

#[derive(Debug, Subcommand)]
pub enum Templates {
    /// Push templates to the API, which checks and compiles each
    #[command(after_help = "\
Examples:
  germane templates push                      all in ./templates
  germane templates push newsletter           the one in ./templates/newsletter
  germane templates push ../mails/newsletter")]
    Push {
        /// A template's name or folder, or a folder of them; all of --folder if it is left out
        what: Option<PathBuf>,
        /// Where names are looked up
        #[arg(long, default_value = "templates", value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Render a template here, with sample data
    #[command(after_help = "\
Examples:
  germane templates render newsletter                     subject and text
  germane templates render newsletter --html mail.html    to open in a browser")]
    Render(Render),
}

#[derive(Debug, Args)]
pub struct Render {
    /// The template's name
    name: TemplateName,
    /// Where names are looked up
    #[arg(long, default_value = "templates", value_name = "FOLDER")]
    folder: PathBuf,
    /// Write the HTML part to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print subject and text also where --html is given
    #[arg(long)]
    text: bool,
}

/// `client` is asked for by the verb that needs one.
pub async fn run(
    verb: Templates,
    client: impl AsyncFnOnce() -> Result<Client, Failure>,
    screen: Screen,
) -> Result<(), Failure> {
    match verb {
        Templates::Push { what, folder } => {
            let sources = find(what.as_deref(), &folder)?;
            push(&sources, &client().await?, screen).await
        }
        Templates::Render(args) => look_at(&args, screen),
    }
}

/// A template as it stands in its folder, and the body of its PUT.
struct Found {
    folder: PathBuf,
    name: TemplateName,
    body: Value,
}

fn find(what: Option<&Path>, folder: &Path) -> Result<Vec<Found>, Failure> {
    let path = match what {
        None => folder.to_owned(),
        Some(what) if what.is_dir() => what.to_owned(),
        Some(name) => folder.join(name),
    };
    if path.join(MANIFEST).is_file() {
        return Ok(vec![find_one(path)?]);
    }
    if !path.is_dir() {
        return Err(Failure::bad_input("no_template", format!("there is no template {}", path.display()))
            .next("name a template of --folder, or its folder"));
    }
    let sources = read_folder(&path).map_err(|faults| unreadable(&path, faults))?;
    if sources.is_empty() {
        return Err(Failure::bad_input("no_template", format!("no template is in {}", path.display()))
            .next(format!("a template is a folder with a {MANIFEST}")));
    }
    let found = sources.into_iter().map(|(name, body)| Found { folder: path.join(name.as_str()), name, body });
    Ok(found.collect())
}

fn find_one(folder: PathBuf) -> Result<Found, Failure> {
    let (name, body) = read_one(&folder).map_err(|faults| unreadable(&folder, faults))?;
    Ok(Found { folder, name, body })
}

fn unreadable(path: &Path, faults: Vec<FileFault>) -> Failure {
    let faults = faults.into_iter().map(|FileFault { file, line, message }| Fault {
        file: Some(file.display().to_string()),
        line: line.map(|line| line as u64),
        field: String::new(),
        found: message,
        wanted: String::new(),
    });
    Failure::bad_input("bad_template", format!("{} cannot be read", path.display())).faults(faults)
}

impl Found {
    /// Names the file that a fault of the PUT body is about.
    fn place(&self, fault: Fault) -> Fault {
        let Fault { field, found, wanted, .. } = fault;
        let fault = door::Fault { field, found, wanted };
        let file = self.folder.join(file_of(&fault));
        Fault::from(fault).within(&file.display().to_string(), None)
    }

    fn refused(&self, faults: Vec<door::Fault>) -> Failure {
        let faults = faults.into_iter().map(|fault| self.place(fault.into()));
        Failure::bad_input("bad_template", format!("the template {} has faults", self.name)).faults(faults)
    }
}

async fn push(found: &[Found], client: &Client, screen: Screen) -> Result<(), Failure> {
    let mut answers = Vec::new();
    for template in found {
        let name = &template.name;
        let answer = client.put(&["templates", name.as_str()], &template.body).await;
        let answer = answer.map_err(|mut failure| {
            failure.faults = failure.faults.into_iter().map(|fault| template.place(fault)).collect();
            failure
        })?;
        if screen.json {
            answers.push(json!({ "name": name, "answer": answer }));
        } else {
            screen.line(format_args!("{name}: pushed"))?;
        }
    }
    if screen.json {
        return screen.document(&json!({ "pushed": answers }));
    }
    screen.note(counted(found.len() as u64, "template is checked and stored", "templates are checked and stored"));
    Ok(())
}

fn look_at(args: &Render, screen: Screen) -> Result<(), Failure> {
    let found = find_one(args.folder.join(args.name.as_str()))?;
    let name = &found.name;
    let refused = |faults| found.refused(faults);
    let source = Source::parse(&found.body).map_err(refused)?;
    let compiled = compile(name, &source).map_err(refused)?;
    let policy = sample_policy().map_err(refused)?;
    let data = serde_json::from_str(&compiled.sample_data(&policy))
        .map_err(|error| Failure::failed("bad_sample", "the sample data are no JSON").detail(error.to_string()))?;
    let rendered = render(&compiled.subject, &compiled.html, &compiled.text, &data).map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Failure::bad_input("not_rendered", format!("{name} does not render: {error}")).detail(why)
    })?;
    if let Some(file) = &args.html {
        let shown = file.display().to_string();
        fs::write(file, &rendered.html).map_err(|error| Failure::file(&shown, &error))?;
        screen.note(format_args!("{shown} is written"));
    }
    if screen.json {
        return screen.document(&json!({
            "name": name, "subject": rendered.subject, "html": rendered.html, "text": rendered.text,
        }));
    }
    if args.text || args.html.is_none() {
        screen.line(format_args!("{}\n\n{}", screen.paint.bold(&rendered.subject), rendered.text.trim_end()))?;
    }
    Ok(())
}

/// What a template may show of a policy, invented: a look at a template needs no deployment.
fn sample_policy() -> Result<Policy, Vec<door::Fault>> {
    Policy::parse(&json!({
        "from": "Example <news@example.com>",
        "postal_address": "Example Ltd, 1 Example Street, 10115 Berlin",
        "privacy_url": "https://example.com/privacy",
        "topics": {},
    }))
}
