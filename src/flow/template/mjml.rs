//! MJML to HTML, which leaves placeholders as they are.

use std::collections::{BTreeSet, HashMap};

use mrml::prelude::{
    parser::{Error, Span},
    render::RenderOptions,
};

use super::{
    dialect::{self, Kind},
    nesting::too_deep,
    walk::Complaint,
};

/// The HTML, or what is wrong, at the beginning of its line.
pub fn render(mjml: &str) -> Result<String, Vec<Complaint>> {
    let bare = without_comments(mjml);
    render_bare(&bare).map_err(|complaints| {
        let line = |at| bare.get(..at).unwrap_or(&bare).matches('\n').count();
        complaints.into_iter().map(|found| Complaint { at: line_start(mjml, line(found.at)), ..found }).collect()
    })
}

fn line_start(text: &str, lines_before: usize) -> usize {
    text.split_inclusive('\n').take(lines_before).map(str::len).sum()
}

fn render_bare(bare: &str) -> Result<String, Vec<Complaint>> {
    if let Some(deep) = too_deep(bare) {
        return Err(vec![deep]);
    }
    let bracket = bare.match_indices('>').map(|(at, _)| at).find(|at| !bare.is_char_boundary(at.saturating_sub(2)));
    if let Some(at) = bracket {
        // The parser looks two bytes back from a `>` in a text, and panics within a character.
        let wanted = "&gt; in place of a > after such a character".to_owned();
        return Err(vec![Complaint { at, found: ">".to_owned(), wanted }]);
    }
    let parsed = mrml::parse(bare).map_err(|error| vec![refused(bare, &error)])?;
    let warnings = parsed.warnings.iter();
    let warnings: Vec<Complaint> =
        warnings.map(|warning| complaint(bare, warning.span, "", format!("MJML without {}", warning.kind))).collect();
    if !warnings.is_empty() {
        return Err(warnings);
    }
    // Without the default fonts, which would be fetched from a third party.
    let options = RenderOptions { disable_comments: true, social_icon_origin: None, fonts: HashMap::new() };
    let html = parsed.element.render(&options).map_err(|error| {
        vec![Complaint { at: 0, found: error.to_string(), wanted: "MJML that can be rendered".to_owned() }]
    })?;
    let unknown = left_over(bare, &html);
    if unknown.is_empty() { Ok(html) } else { Err(unknown) }
}

/// Elements that look like MJML's and that it does not know: it passes them on to the HTML.
fn left_over(mjml: &str, html: &str) -> Vec<Complaint> {
    let names = html.split("<mj-").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        format!("<mj-{}", rest.get(..end).unwrap_or_default())
    });
    let names: BTreeSet<String> = names.collect();
    let at = |name: &String| mjml.find(name.as_str()).unwrap_or(0);
    names
        .iter()
        .map(|name| Complaint { at: at(name), found: name.clone(), wanted: "an element of MJML".to_owned() })
        .collect()
}

/// MJML would take a comment's text for its own. Lines stay where they are.
fn without_comments(mjml: &str) -> String {
    let (tokens, _) = dialect::scan(mjml);
    let mut bare = String::with_capacity(mjml.len());
    let mut done = 0;
    for comment in tokens.iter().filter(|token| token.kind == Kind::Comment) {
        bare.push_str(mjml.get(done..comment.at).unwrap_or_default());
        bare.extend(comment.raw.matches('\n'));
        done = comment.at + comment.raw.len();
    }
    bare.push_str(mjml.get(done..).unwrap_or_default());
    bare
}

fn refused(mjml: &str, error: &Error) -> Complaint {
    let at = |position: &Span, what| complaint(mjml, *position, what, "MJML".to_owned());
    match error {
        Error::UnexpectedElement { position, .. } => at(position, " is no element that may stand there"),
        Error::UnexpectedToken { position, .. } => at(position, " is nothing that may stand there"),
        Error::InvalidAttribute { position, .. } => at(position, " is no attribute that it may have"),
        Error::InvalidFormat { position, .. } => at(position, " is not in the right form"),
        Error::MissingAttribute { position, .. } => at(position, " lacks an attribute that it needs"),
        Error::IncludeLoaderError { position, .. } => at(position, " includes a file, which is not followed"),
        Error::ParserError { source, .. } => {
            let row = usize::try_from(source.pos().row).unwrap_or(1);
            let at = line_start(mjml, row.saturating_sub(1));
            Complaint { at, found: source.to_string(), wanted: "MJML".to_owned() }
        }
        Error::EndOfStream { .. } => {
            let found = "its end, with an element still open".to_owned();
            Complaint { at: mjml.len(), found, wanted: "MJML".to_owned() }
        }
        Error::SizeLimit { .. } | Error::NoRootNode => {
            Complaint { at: 0, found: error.to_string(), wanted: "MJML".to_owned() }
        }
    }
}

fn complaint(mjml: &str, position: Span, what: &str, wanted: String) -> Complaint {
    let piece = mjml.get(position.start..position.end).unwrap_or_default();
    Complaint { at: position.start, found: format!("{piece}{what}"), wanted }
}
