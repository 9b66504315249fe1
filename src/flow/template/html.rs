//! Where in an HTML document a placeholder stands, since escaping protects a text and a quoted attribute, and
//! nothing else.

/// What surrounds a position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    #[default]
    Text,
    Comment,
    /// Inside an element whose text is not HTML, such as `style`.
    Raw(&'static str),
    /// Inside a tag, outside a quoted value.
    Tag(Tag),
    Attribute {
        tag: Tag,
        name: String,
        quote: char,
        /// Whether something fixed stands before in the value, so that the scheme of a link is not open any more.
        begun: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tag {
    name: String,
    /// The word being read, and whether an `=` came after it.
    word: String,
    assigned: bool,
}

impl Tag {
    /// Ends the word before white space, unless its `=` or its value is still to come.
    fn pause(&mut self, rest: &str) {
        if !self.assigned && !rest.trim_start().starts_with('=') {
            self.word.clear();
        }
    }
}

/// What a placeholder means to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Content,
    /// The beginning of an address that somebody may follow.
    Link,
}

/// Attributes whose value is an address.
const LINKS: [&str; 9] = ["href", "src", "action", "formaction", "background", "poster", "cite", "data", "xlink:href"];
/// Elements whose text is not HTML.
const RAW: [&str; 4] = ["style", "script", "textarea", "xmp"];

impl Place {
    /// Reads on over literal text.
    pub fn advance(&mut self, mut rest: &str) {
        while !rest.is_empty() {
            rest = self.step(rest);
        }
    }

    /// What a placeholder may be here, or where it may not be.
    pub fn role(&self) -> Result<Role, String> {
        match self {
            Place::Comment => Err("a comment".to_owned()),
            Place::Raw(element) => Err(format!("the element {element}")),
            Place::Tag(_) => Err("a tag, outside a quoted attribute".to_owned()),
            Place::Attribute { name, .. } if name == "style" || name == "srcset" || name.starts_with("on") => {
                Err(format!("the attribute {name}"))
            }
            Place::Attribute { name, begun, .. } if LINKS.contains(&name.as_str()) && !begun => Ok(Role::Link),
            Place::Text | Place::Attribute { .. } => Ok(Role::Content),
        }
    }

    /// Whether two positions are in the same place, however much stands before them in a value.
    pub fn is_beside(&self, other: &Place) -> bool {
        let unbegun = |place: &Place| {
            let mut place = place.clone();
            if let Place::Attribute { begun, .. } = &mut place {
                *begun = false;
            }
            place
        };
        unbegun(self) == unbegun(other)
    }

    fn step<'r>(&mut self, rest: &'r str) -> &'r str {
        match self {
            Place::Text => self.text(rest),
            Place::Comment => self.leave(rest, "-->"),
            Place::Raw(element) => {
                let end = format!("</{element}");
                // What follows is the rest of a closing tag.
                match find_ignoring_case(rest, &end) {
                    Some(after) => {
                        *self = Place::Tag(Tag { name: format!("/{element}"), ..Tag::default() });
                        after
                    }
                    None => "",
                }
            }
            Place::Tag(_) => self.tag(rest),
            Place::Attribute { tag, quote, begun, .. } => {
                let Some((_, after)) = rest.split_once(*quote) else {
                    // Browsers pass over white space before a scheme.
                    *begun |= !rest.trim().is_empty();
                    return "";
                };
                *self = Place::Tag(Tag { name: std::mem::take(&mut tag.name), ..Tag::default() });
                after
            }
        }
    }

    fn leave<'r>(&mut self, rest: &'r str, end: &str) -> &'r str {
        match rest.split_once(end) {
            Some((_, after)) => {
                *self = Place::Text;
                after
            }
            None => "",
        }
    }

    fn text<'r>(&mut self, rest: &'r str) -> &'r str {
        let Some((_, after)) = rest.split_once('<') else { return "" };
        // Outlook reads what conditional comments hold: to it, and therefore here, their marks are not there.
        for (mark, end) in [("!--[if", "]>"), ("!-->", ""), ("![endif]", ">"), ("!--<![endif]", ">")] {
            if let Some(inner) = after.strip_prefix(mark) {
                return inner.split_once(end).map_or("", |(_, after)| after);
            }
        }
        if let Some(comment) = after.strip_prefix("!--") {
            *self = Place::Comment;
            return comment;
        }
        if after.is_empty() || after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?')
        {
            let name_end = after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len());
            let (name, after) = after.split_at(name_end);
            *self = Place::Tag(Tag { name: name.to_ascii_lowercase(), ..Tag::default() });
            return after;
        }
        after
    }

    fn tag<'r>(&mut self, rest: &'r str) -> &'r str {
        let Place::Tag(tag) = self else { return rest };
        let mut chars = rest.chars();
        match chars.next() {
            Some('>') => {
                let raw = RAW.iter().find(|element| **element == tag.name);
                *self = raw.map_or(Place::Text, |element| Place::Raw(element));
            }
            Some('=') => tag.assigned = true,
            Some(quote @ ('"' | '\'')) if tag.assigned => {
                let tag = std::mem::take(tag);
                let name = tag.word.to_ascii_lowercase();
                *self = Place::Attribute { tag: Tag { name: tag.name, ..Tag::default() }, name, quote, begun: false };
            }
            Some(c) if c.is_whitespace() || c == '/' => tag.pause(chars.as_str()),
            Some(c) => {
                if tag.assigned {
                    tag.assigned = false;
                    tag.word.clear();
                }
                tag.word.push(c);
            }
            None => {}
        }
        chars.as_str()
    }
}

fn find_ignoring_case<'r>(text: &'r str, what: &str) -> Option<&'r str> {
    let at = text.to_ascii_lowercase().find(what)?;
    text.get(at + what.len()..)
}
