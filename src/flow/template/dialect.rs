//! The part of Handlebars that templates may use: values, `if`, `unless`, `each`, and comments. It is what every
//! Handlebars engine understands alike.

/// Something in a template, with the text that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Token<'s> {
    /// Byte offset in the source.
    pub at: usize,
    pub raw: &'s str,
    pub kind: Kind<'s>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind<'s> {
    Literal,
    Comment,
    Value(Path<'s>),
    Open(Block, Path<'s>),
    Else,
    Close(Block),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    If,
    Unless,
    Each,
}

impl Block {
    const ALL: [Block; 3] = [Block::If, Block::Unless, Block::Each];

    pub fn as_str(self) -> &'static str {
        match self {
            Block::If => "if",
            Block::Unless => "unless",
            Block::Each => "each",
        }
    }

    fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|block| block.as_str() == name)
    }
}

/// Where to look, and the names to follow from there.
#[derive(Debug, Clone, PartialEq)]
pub struct Path<'s> {
    pub start: Start<'s>,
    pub names: Vec<&'s str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'s> {
    Relative,
    This,
    /// As many scopes outwards.
    Up(usize),
    Root,
    /// `@index`, `@first`, `@last`.
    Counter(&'s str),
}

impl<'s> Path<'s> {
    fn parse(raw: &'s str) -> Option<Self> {
        if let Some(counter) = raw.strip_prefix('@').filter(|name| ["index", "first", "last"].contains(name)) {
            return Some(Self { start: Start::Counter(counter), names: Vec::new() });
        }
        let inner = raw.trim_start_matches("../");
        let up = (raw.len() - inner.len()) / "../".len();
        let (start, names) = match (raw.strip_prefix("@root."), raw.strip_prefix("this.")) {
            (Some(names), _) => (Start::Root, names),
            (None, Some(names)) => (Start::This, names),
            (None, None) if raw == "this" => return Some(Self { start: Start::This, names: Vec::new() }),
            (None, None) if up > 0 => (Start::Up(up), inner),
            (None, None) => (Start::Relative, raw),
        };
        let names: Vec<&str> = names.split('.').collect();
        names.iter().all(|name| is_identifier(name)).then_some(Self { start, names })
    }

    /// The path as it is written once the root lies at `prefix`; `None` leaves it as it is.
    pub fn rewritten(&self, prefix: Option<&str>) -> String {
        let start = match self.start {
            Start::Counter(name) => return format!("@{name}"),
            Start::Relative => String::new(),
            Start::This => "this.".to_owned(),
            Start::Up(scopes) => "../".repeat(scopes),
            Start::Root => "@root.".to_owned(),
        };
        let names: Vec<&str> = prefix.into_iter().chain(self.names.iter().copied()).collect();
        if names.is_empty() { "this".to_owned() } else { format!("{start}{}", names.join(".")) }
    }
}

fn is_identifier(name: &str) -> bool {
    let keyword = ["this", "true", "false", "null", "undefined"].contains(&name);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !keyword
}

/// Something that the dialect does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake<'s> {
    pub at: usize,
    pub raw: &'s str,
    pub wanted: String,
}

/// Takes a template apart. The tokens are balanced if there are no mistakes.
pub fn scan(source: &str) -> (Vec<Token<'_>>, Vec<Mistake<'_>>) {
    let mut tokens = Vec::new();
    let mut mistakes = Vec::new();
    let mut rest = source;
    while let Some((literal, after)) = rest.split_once("{{") {
        let at = source.len() - after.len() - 2;
        push_literal(&mut tokens, at - literal.len(), literal);
        let end = if after.starts_with("!--") {
            "--}}"
        } else if after.starts_with('{') {
            "}}}"
        } else {
            "}}"
        };
        let Some((body, next)) = after.split_once(end) else {
            mistakes.push(Mistake { at, raw: first_line(after), wanted: format!("its end {end}") });
            rest = "";
            break;
        };
        let raw = source.get(at..source.len() - next.len()).unwrap_or_default();
        if literal.ends_with('\\') {
            let wanted = "no backslash before it, which Handlebars would take for itself".to_owned();
            mistakes.push(Mistake { at, raw, wanted });
        } else {
            match kind(body) {
                Ok(kind) => tokens.push(Token { at, raw, kind }),
                Err(wanted) => mistakes.push(Mistake { at, raw, wanted: wanted.to_owned() }),
            }
        }
        rest = next;
    }
    push_literal(&mut tokens, source.len() - rest.len(), rest);
    balance(&tokens, &mut mistakes);
    mistakes.sort_by_key(|mistake| mistake.at);
    (tokens, mistakes)
}

fn push_literal<'s>(tokens: &mut Vec<Token<'s>>, at: usize, raw: &'s str) {
    if !raw.is_empty() {
        tokens.push(Token { at, raw, kind: Kind::Literal });
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn kind(body: &str) -> Result<Kind<'_>, &'static str> {
    const PATH: &str = "a value such as {{headline}}, {{this.title}}, {{../name}} or {{@index}}, without helpers";
    const BLOCK: &str = "one of the blocks {{#if path}}, {{#unless path}}, {{#each path}}";
    if body.starts_with('!') {
        return Ok(Kind::Comment);
    }
    if body.starts_with(['{', '&']) {
        return Err("two braces: nothing can be put in unescaped");
    }
    if body.starts_with('~') || body.ends_with('~') {
        return Err("no ~, which engines treat differently");
    }
    let body = body.trim();
    if let Some(block) = body.strip_prefix('#') {
        let (name, path) = block.split_once(char::is_whitespace).ok_or(BLOCK)?;
        let block = Block::find(name).ok_or(BLOCK)?;
        return Path::parse(path.trim()).map(|path| Kind::Open(block, path)).ok_or(BLOCK);
    }
    if let Some(name) = body.strip_prefix('/') {
        return Block::find(name.trim()).map(Kind::Close).ok_or("{{/if}}, {{/unless}} or {{/each}}");
    }
    match body.split_whitespace().next() {
        Some("else") if body == "else" => Ok(Kind::Else),
        Some("else") => Err("a plain {{else}} with another block inside"),
        Some(first) if first.starts_with('>') => Err("no partials"),
        Some(_) | None => Path::parse(body).map(Kind::Value).ok_or(PATH),
    }
}

fn balance<'s>(tokens: &[Token<'s>], mistakes: &mut Vec<Mistake<'s>>) {
    let mut open: Vec<(Block, &Token<'s>, bool)> = Vec::new();
    let mut mistake =
        |token: &Token<'s>, wanted: String| mistakes.push(Mistake { at: token.at, raw: token.raw, wanted });
    for token in tokens {
        match &token.kind {
            Kind::Literal | Kind::Comment | Kind::Value(_) => {}
            Kind::Open(block, _) => open.push((*block, token, false)),
            Kind::Else => match open.last_mut() {
                None => mistake(token, "a block around it".to_owned()),
                Some((_, _, true)) => mistake(token, "one {{else}} in a block".to_owned()),
                Some((_, _, seen)) => *seen = true,
            },
            Kind::Close(block) => match open.pop() {
                Some((opened, _, _)) if opened == *block => {}
                Some((opened, _, _)) => {
                    mistake(token, format!("{{{{/{}}}}}, which closes the open block", opened.as_str()));
                }
                None => mistake(token, "an open block that it closes".to_owned()),
            },
        }
    }
    for (block, token, _) in open {
        mistake(token, format!("{{{{/{}}}}} after it", block.as_str()));
    }
}
