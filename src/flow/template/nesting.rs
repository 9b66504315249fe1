//! How deeply the elements of a body lie within each other. What parses and renders them does so by recursion, and a
//! stack that overflows ends the whole process.

use super::walk::Complaint;

/// Far more than mails have: a table in a table in a table comes to a dozen. It fits a worker's stack of 2 MB, in
/// builds without optimisation too.
pub const MAX_NESTING: usize = 40;

/// Elements that hold nothing and are not closed (HTML Living Standard, section 13.1.2).
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// The first element that lies too deep. What is not closed counts on: whoever parses it finds out.
pub fn too_deep(body: &str) -> Option<Complaint> {
    let mut open: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(tag) = next_tag(body, at) {
        at = tag.end;
        match tag.kind {
            Kind::Opens if VOID.contains(&tag.name) => {}
            Kind::Opens => {
                open.push(tag.name);
                if open.len() > MAX_NESTING {
                    let wanted = format!("at most {MAX_NESTING} elements within each other");
                    return Some(Complaint { at: tag.start, found: format!("<{}", tag.name), wanted });
                }
            }
            Kind::Closes if open.last() == Some(&tag.name) => drop(open.pop()),
            Kind::Closes | Kind::Neither => {}
        }
    }
    None
}

struct Tag<'b> {
    start: usize,
    end: usize,
    name: &'b str,
    kind: Kind,
}

enum Kind {
    Opens,
    Closes,
    /// Empty, a comment or a declaration.
    Neither,
}

fn next_tag(body: &str, from: usize) -> Option<Tag<'_>> {
    let start = from + body.get(from..)?.find('<')?;
    let rest = body.get(start + 1..)?;
    let tag = |end: usize, name, kind| Some(Tag { start, end: start + 1 + end, name, kind });
    if let Some(comment) = rest.strip_prefix("!--") {
        return tag(comment.find("-->").map_or(rest.len(), |end| end + 6), "", Kind::Neither);
    }
    if let Some(closing) = rest.strip_prefix('/') {
        return tag(1, name(closing), Kind::Closes);
    }
    let name = name(rest);
    if name.is_empty() {
        return tag(0, name, Kind::Neither);
    }
    let end = end_of_tag(rest);
    let empty = rest.get(..end).is_some_and(|tag| tag.trim_end().ends_with('/'));
    tag(name.len(), name, if empty { Kind::Neither } else { Kind::Opens })
}

fn name(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || "/><=\"'".contains(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Where the `>` of a tag is, which may also stand in an attribute.
fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some(_), _) => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_within_each_other_are_counted_and_those_beside_each_other_are_not() {
        let nested = |levels: usize| "<b>".repeat(levels) + &"</b>".repeat(levels);
        assert!(too_deep(&nested(MAX_NESTING)).is_none());
        let found = too_deep(&nested(MAX_NESTING + 1)).unwrap();
        assert_eq!((found.at, found.found.as_str()), (3 * MAX_NESTING, "<b"));
        let beside = "<p>a<br>b<img src=\"x\"><hr/><mj-image alt=\"1 > 2\" /><!-- <b><b> --></p>".repeat(200);
        assert!(too_deep(&beside).is_none());
    }

    #[test]
    fn what_closes_another_element_than_the_open_one_closes_none() {
        assert!(too_deep(&"<b></i>".repeat(MAX_NESTING + 1)).is_some());
    }
}
