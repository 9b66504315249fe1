//! The plain text of a mail, derived from its HTML with placeholders and blocks in their places.
//!
//! The HTML is read from its beginning to its end and never as a tree: a block that spans rows of a table is no
//! child that a table may have, and an HTML parser would move it elsewhere.

mod layout;
mod read;

/// One blank line between paragraphs, none after a heading, `- ` before the items of a list, links as `text: url`; what is hidden in the
/// HTML is left out.
pub fn derive(html: &str) -> String {
    layout::lay_out(&read::read(html))
}

/// What the HTML is made of, as far as plain text can show it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// Without white space at its ends.
    Text(String),
    /// `{{path}}`
    Value(String),
    /// `{{#block path}}`
    Open(String),
    Else,
    /// `{{/block}}`
    Close(String),
    Gap(Gap),
    /// The end of a heading, which stays close to what it is about.
    Heading,
    /// The beginning of a list, which stays close to what it belongs to.
    List,
    /// The beginning of a list's item.
    Bullet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
    Paragraph,
}
