//! Long work shows how far it is: a bar on a terminal, a line now and then elsewhere, nothing with `--json`.

use std::{fmt::Display, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    prose::{counted, grouped},
    screen::Screen,
};

/// Without a known end a plain line comes this often.
const LINE_EVERY: u64 = 5_000;

pub struct Progress {
    screen: Screen,
    bar: Option<ProgressBar>,
    doing: &'static str,
    /// What is counted: one, and several.
    nouns: (&'static str, &'static str),
    told: u64,
}

impl Progress {
    /// `doing` stands before the bar, such as "importing". People are counted.
    pub fn start(screen: Screen, doing: &'static str) -> Self {
        Self::counting(screen, doing, ("person", "people"))
    }

    /// The same of something else than people.
    pub fn counting(screen: Screen, doing: &'static str, nouns: (&'static str, &'static str)) -> Self {
        let bar = screen.live.then(|| {
            let bar = ProgressBar::no_length().with_message(doing);
            bar.set_style(style(&format!("  {{spinner}} {{msg:<10}} {{human_pos}} {}", nouns.1)));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { screen, bar, doing, nouns, told: 0 }
    }

    /// `done` of `total`, where that is known.
    pub fn at(&mut self, done: u64, total: Option<u64>) {
        let step = total.map_or(LINE_EVERY, |total| (total / 4).max(1));
        if let Some(bar) = &self.bar {
            if let (Some(total), None) = (total, bar.length()) {
                bar.set_length(total);
                let several = self.nouns.1;
                bar.set_style(style(&format!(
                    "  {{spinner}} {{msg:<10}} {{bar:30}} {{human_pos}} of {{human_len}} {several}"
                )));
            }
            bar.set_position(done);
        } else if done / step > self.told / step {
            let of = total.map(|total| format!(" of {}", grouped(total))).unwrap_or_default();
            self.screen.note(format_args!("{}: {}{of}", self.doing, counted(done, self.nouns.0, self.nouns.1)));
            self.told = done;
        }
    }

    /// Says something that came in between; from here on it is `doing` that.
    pub fn turn(&mut self, doing: &'static str, text: impl Display) {
        self.doing = doing;
        match &self.bar {
            Some(bar) => {
                bar.set_message(doing);
                bar.suspend(|| self.screen.note(text));
            }
            None => self.screen.note(text),
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}
