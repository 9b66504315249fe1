//! HTML as a row of items.

use super::{
    super::dialect::{self, Kind},
    Gap, Item,
};

/// Elements that nobody sees.
const UNSEEN: [&str; 4] = ["head", "style", "script", "title"];

pub fn read(html: &str) -> Vec<Item> {
    let mut reader = Reader::default();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        reader.text(text);
        rest = if let Some(comment) = after.strip_prefix("!--") {
            comment.split_once("-->").map_or("", |(_, after)| after)
        } else if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') {
            let (tag, after) = split_tag(after);
            reader.tag(tag);
            after
        } else {
            reader.text("<");
            after
        };
    }
    reader.text(rest);
    reader.items
}

#[derive(Default)]
struct Reader {
    items: Vec<Item>,
    /// The element that hides everything until its end, and how many of its name are open.
    hidden: Option<(String, usize)>,
    /// The links that are open: where they lead, and where their text begins.
    links: Vec<(String, usize)>,
}

impl Reader {
    fn text(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        let (tokens, _) = dialect::scan(text);
        for token in tokens {
            match token.kind {
                Kind::Literal => self.words(token.raw),
                Kind::Comment => {}
                Kind::Value(_) => self.items.push(Item::Value(token.raw.to_owned())),
                Kind::Open(..) => self.items.push(Item::Open(token.raw.to_owned())),
                Kind::Else => self.items.push(Item::Else),
                Kind::Close(_) => self.items.push(Item::Close(token.raw.to_owned())),
            }
        }
    }

    fn words(&mut self, text: &str) {
        let is_space = |c: char| c.is_ascii_whitespace();
        let words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
        if text.starts_with(is_space) {
            self.items.push(Item::Gap(Gap::Space));
        }
        if !words.is_empty() {
            self.items.push(Item::Text(decode(&words.join(" "))));
            if text.ends_with(is_space) {
                self.items.push(Item::Gap(Gap::Space));
            }
        }
    }

    fn tag(&mut self, tag: &str) {
        let name_end = tag.find(|c: char| c.is_whitespace()).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(name_end);
        let name = name.trim_end_matches('/').to_ascii_lowercase();
        let (name, closes) = match name.strip_prefix('/') {
            Some(name) => (name.to_owned(), true),
            None => (name, false),
        };
        if let Some((hiding, open)) = &mut self.hidden {
            if *hiding == name {
                *open = if closes { *open - 1 } else { *open + 1 };
                if *open == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        let is_hidden =
            attribute(attributes, "style").is_some_and(|style| style.replace(' ', "").contains("display:none"));
        if !closes && (is_hidden || UNSEEN.contains(&name.as_str())) {
            self.hidden = Some((name, 1));
            return;
        }
        match (name.as_str(), closes) {
            ("a", false) => self.links.push((attribute(attributes, "href").unwrap_or_default(), self.items.len())),
            ("a", true) => self.end_link(),
            ("img", _) => self.words(&attribute(attributes, "alt").unwrap_or_default()),
            ("br" | "div", _) | ("li", true) => self.items.push(Item::Gap(Gap::Line)),
            ("ul" | "ol", false) => self.items.push(Item::List),
            ("li", false) => self.items.extend([Item::Gap(Gap::Line), Item::Bullet]),
            ("td" | "th", _) => self.items.push(Item::Gap(Gap::Space)),
            ("h2" | "h3" | "h4" | "h5" | "h6", true) => self.items.extend([Item::Gap(Gap::Paragraph), Item::Heading]),
            ("hr", _) => {
                let rule = Item::Text("---".to_owned());
                self.items.extend([Item::Gap(Gap::Paragraph), rule, Item::Gap(Gap::Paragraph)]);
            }
            (
                "p" | "table" | "tr" | "ul" | "ol" | "blockquote" | "section" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6",
                _,
            ) => self.items.push(Item::Gap(Gap::Paragraph)),
            // The rest stands within its line.
            _ => {}
        }
    }

    fn end_link(&mut self) {
        let Some((href, start)) = self.links.pop() else { return };
        while self.items.len() > start && matches!(self.items.last(), Some(Item::Gap(_))) {
            self.items.pop();
        }
        let label: String = self.items.get(start..).unwrap_or_default().iter().map(written).collect();
        let leads_nowhere = href.is_empty() || href.starts_with('#');
        if leads_nowhere || label == href || href.strip_prefix("mailto:").is_some_and(|address| address == label) {
            return;
        }
        if !label.is_empty() {
            self.items.extend([Item::Text(":".to_owned()), Item::Gap(Gap::Space)]);
        }
        self.text(&href);
    }
}

fn written(item: &Item) -> &str {
    match item {
        Item::Text(text) | Item::Value(text) => text,
        Item::Open(_) | Item::Else | Item::Close(_) | Item::Gap(_) | Item::Heading | Item::List | Item::Bullet => "",
    }
}

/// The tag up to its `>`, which may also stand in a quoted value, and what follows.
fn split_tag(after: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, c) in after.char_indices() {
        match (quote, c) {
            (None, '>') => return (after.get(..at).unwrap_or_default(), after.get(at + 1..).unwrap_or_default()),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some(_), _) => {}
        }
    }
    (after, "")
}

fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, next) = match quote {
            Some(quote) => after.get(1..).unwrap_or_default().split_once(quote).unwrap_or((after, "")),
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        let name = name.split_whitespace().next_back().unwrap_or_default();
        if name.eq_ignore_ascii_case(wanted) {
            return Some(decode(value));
        }
        rest = next;
    }
    None
}

/// Puts characters in the place of entities, but never one that would begin a placeholder.
fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('&') {
        decoded.push_str(plain);
        let entity = after.split_once(';').filter(|(name, _)| {
            (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#')
        });
        if let Some((name, next)) = entity {
            decoded.push_str(&character(name));
            rest = next;
        } else {
            decoded.push('&');
            rest = after;
        }
    }
    decoded.push_str(rest);
    decoded
}

fn character(entity: &str) -> String {
    let written = format!("&{entity};");
    if entity == "nbsp" {
        return " ".to_owned();
    }
    let read = html_escape::decode_html_entities(&written);
    // A brace that is written as an entity is text, and must not become a tag.
    if read.contains(['{', '}']) { written } else { read.into_owned() }
}
