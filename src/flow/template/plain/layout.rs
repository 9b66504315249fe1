//! Items as lines, with no blank line too many whichever conditions hold.
//!
//! A block tag never stands alone on its line: engines differ in whether they then drop the line.

use super::{Gap, Item};

pub fn lay_out(items: &[Item]) -> String {
    let mut page = Page { at: At { fresh: true, ..At::default() }, ..Page::default() };
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Gap(gap) => page.at.pending = page.at.pending.max(*gap),
            Item::Heading => page.at.headed = true,
            Item::List => page.at.pending = Gap::Line,
            Item::Bullet => page.bullet = true,
            Item::Text(text) | Item::Value(text) => page.write(text),
            Item::Open(tag) => page.open(tag, ends_a_line(items, index)),
            Item::Else => page.otherwise(),
            Item::Close(tag) => page.close(tag),
        }
    }
    page.out.trim_end().to_owned()
}

#[derive(Default)]
struct Page {
    out: String,
    at: At,
    bullet: bool,
    blocks: Vec<Open>,
}

/// What whatever comes next depends on.
#[derive(Clone, Copy, Default)]
struct At {
    /// The gap before it.
    pending: Gap,
    /// Whether it needs not be kept apart: at the beginning, and after a gap that a block ended with.
    fresh: bool,
    /// Whether a heading comes before it.
    headed: bool,
}

struct Open {
    /// Whether the gap before the block is written inside of it, so that it is there only if the block is.
    leading: bool,
    before: At,
    /// The largest gap that a branch ended with.
    exit: Gap,
    /// Whether every branch left the page fresh.
    fresh: bool,
}

impl Page {
    fn write(&mut self, text: &str) {
        self.flush();
        if std::mem::take(&mut self.bullet) {
            self.out.push_str("- ");
        }
        self.out.push_str(text);
        self.at.fresh = false;
    }

    fn flush(&mut self) {
        let At { pending, fresh, headed } = std::mem::take(&mut self.at);
        let gap = if headed { pending.min(Gap::Line) } else { pending };
        if !fresh {
            self.out.push_str(match gap {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Line => "\n",
                Gap::Paragraph => "\n\n",
            });
        }
        self.at.fresh = fresh || gap >= Gap::Line;
    }

    fn open(&mut self, tag: &str, ends_a_line: bool) {
        let leading = self.at.pending >= Gap::Line && !self.at.fresh && ends_a_line;
        if !leading {
            self.flush();
        }
        self.blocks.push(Open { leading, before: self.at, exit: Gap::None, fresh: true });
        self.out.push_str(tag);
    }

    fn otherwise(&mut self) {
        self.end_branch();
        if let Some(block) = self.blocks.last() {
            self.at = block.before;
        }
        self.out.push_str("{{else}}");
    }

    fn close(&mut self, tag: &str) {
        self.end_branch();
        if let Some(block) = self.blocks.pop() {
            self.at.pending = if block.leading { block.before.pending.max(block.exit) } else { Gap::None };
            self.at.fresh = block.before.fresh && block.fresh;
        }
        self.out.push_str(tag);
    }

    fn end_branch(&mut self) {
        if self.blocks.last().is_some_and(|block| !block.leading) {
            self.flush();
        }
        if let Some(block) = self.blocks.last_mut() {
            block.exit = block.exit.max(self.at.pending);
            block.fresh &= self.at.fresh;
        }
    }
}

/// Whether the block that opens at `open` reaches to the end of a line: a gap is the last thing in it, or the first
/// after it.
fn ends_a_line(items: &[Item], open: usize) -> bool {
    let mut depth = 0_usize;
    let end = items.iter().enumerate().skip(open).find_map(|(index, item)| {
        match item {
            Item::Open(_) => depth += 1,
            Item::Close(_) => depth -= 1,
            Item::Text(_) | Item::Value(_) | Item::Else | Item::Gap(_) | Item::Heading | Item::List | Item::Bullet => {}
        }
        (depth == 0).then_some(index)
    });
    let Some(end) = end else { return false };
    let (before, after) = items.split_at(end);
    let passes = |item: &&Item| matches!(item, Item::Close(_) | Item::Heading | Item::Gap(Gap::None | Gap::Space));
    let breaks = |item: Option<&Item>| {
        matches!(item, None | Some(Item::Gap(Gap::Line | Gap::Paragraph) | Item::List | Item::Bullet))
    };
    breaks(before.iter().rev().find(|item| !passes(item))) || breaks(after.iter().find(|item| !passes(item)))
}
