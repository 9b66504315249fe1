//! The folder in which everything that SES knows outlives it.
//!
//! `log.jsonl` holds a line for each accepted message, and one for each template that they were made from: all that it
//! takes to rebuild the rest. `mails/` holds each captured mail as a file of RFC 5322, and `templates/` the stored ones.
//!
//! A message exists once its line in the log does. Its mail is written before that and the call is answered after it,
//! so that whoever kills the process at any moment leaves at most a mail that nobody was told of; the next start
//! removes it. Files with names that were not given here are left alone. What was written lasts as long as the machine runs: nothing waits for the disk itself, so that after a
//! loss of power the last seconds may be missing.

mod folder;
mod line;
mod log;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    accept::{Accepted, is_message_id},
    digest::digest,
    letter::{Content, Letter},
    mail::{Kept, Mail},
    template::Template,
    wire::TemplateContent,
};
use line::{FORMAT, Line, MessageLine, TemplateLine};
use log::{Log, Span};

const LOG: &str = "log.jsonl";
const MAILS: &str = "mails";
const TEMPLATES: &str = "templates";
const MAIL: &str = "eml";
const TEMPLATE: &str = "json";

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{} is in use: end the process that holds it, or choose another folder", .0.display())]
    InUse(PathBuf),
    #[error("{} cannot be read or written", path.display())]
    Disk {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("line {line} of {} does not read: bring back a copy of the folder, or choose another", path.display())]
    Line { path: PathBuf, line: usize },
    #[error("{} is no stored template: bring back a copy of the folder, or choose another", .0.display())]
    Template(PathBuf),
}

pub(super) struct Archive {
    folder: PathBuf,
    /// By digest, those that the log has.
    versions: Mutex<BTreeMap<String, Arc<Template>>>,
    /// Nothing once it was let go.
    log: Mutex<Option<Log>>,
}

/// What a folder held when it was opened.
#[derive(Default)]
pub(super) struct Held {
    pub templates: BTreeMap<String, Arc<Template>>,
    /// Oldest first.
    pub accepted: Vec<Accepted>,
}

/// A mail's place in an archive.
pub(super) struct Place {
    archive: Arc<Archive>,
    line: Span,
}

#[derive(Serialize, Deserialize)]
struct StoredTemplate<T> {
    format: u32,
    name: String,
    content: T,
}

impl Archive {
    pub(super) fn open(folder: &Path) -> Result<(Arc<Self>, Held), ArchiveError> {
        let archive = Arc::new(Self { folder: folder.to_owned(), versions: Mutex::default(), log: Mutex::default() });
        for part in [MAILS, TEMPLATES] {
            let path = folder.join(part);
            folder::create(&path).map_err(|source| ArchiveError::Disk { path, source })?;
        }
        let accepted = archive.read_log()?;
        archive.reconcile(&accepted).map_err(|source| ArchiveError::Disk { path: folder.join(MAILS), source })?;
        Ok((Arc::clone(&archive), Held { templates: archive.read_templates()?, accepted }))
    }

    pub(super) fn close(&self) {
        *self.log() = None;
    }

    /// Keeps accepted messages, all or none, and lets go of what can be read back.
    pub(super) fn keep(self: &Arc<Self>, accepted: &mut [Accepted]) -> io::Result<()> {
        let mut log = self.log();
        let log = log.as_mut().ok_or_else(closed)?;
        let mut lines = Vec::new();
        let mut spans = Vec::new();
        let mut versions = BTreeMap::new();
        for message in accepted.iter() {
            let letter = message.mail.letter();
            if let Content::Template { template, .. } = &letter.content {
                let digest = template.digest();
                if !versions.contains_key(digest) && !self.versions().contains_key(digest) {
                    add(&mut lines, &Line::Template(TemplateLine::of(template)))?;
                    versions.insert(digest.to_owned(), Arc::clone(template));
                }
            }
            let start = lines.len();
            add(&mut lines, &Line::Message(MessageLine::of(message, &letter)))?;
            spans.push(start..lines.len());
        }
        let written = self.write_mails(accepted).and_then(|()| log.append(&lines));
        let start = written.inspect_err(|_| self.remove_mails(accepted))?;
        self.versions().append(&mut versions);
        for (message, span) in accepted.iter_mut().zip(spans) {
            let line = Span { start: start + span.start as u64, bytes: span.len() };
            message.mail.kept = Kept::Archive(Place { archive: Arc::clone(self), line });
        }
        Ok(())
    }

    pub(super) fn keep_template(&self, template: &Template) -> io::Result<()> {
        let log = self.log();
        log.as_ref().ok_or_else(closed)?;
        let stored = StoredTemplate { format: FORMAT, name: template.name.clone(), content: &template.content };
        folder::replace(&self.template_path(&template.name), &serde_json::to_vec_pretty(&stored)?)
    }

    pub(super) fn drop_template(&self, name: &str) -> io::Result<()> {
        let log = self.log();
        log.as_ref().ok_or_else(closed)?;
        folder::remove(&self.template_path(name))
    }

    fn write_mails(&self, accepted: &[Accepted]) -> io::Result<()> {
        for Accepted { mail, failure } in accepted {
            if failure.is_none() {
                folder::write(&self.mail_path(&mail.id), mail.source().as_bytes())?;
            }
        }
        Ok(())
    }

    /// Takes back mails that nobody will be told of. What cannot be removed now is removed at the next start.
    fn remove_mails(&self, accepted: &[Accepted]) {
        for Accepted { mail, .. } in accepted {
            let _ = folder::remove(&self.mail_path(&mail.id));
        }
    }

    /// Rebuilds what the log has, and holds it from now on.
    fn read_log(self: &Arc<Self>) -> Result<Vec<Accepted>, ArchiveError> {
        let path = self.folder.join(LOG);
        let mut accepted: Vec<Accepted> = Vec::new();
        let mut number = 0;
        let mut log = Log::open(&path, |span, line| {
            number += 1;
            self.read_line(number, span, line, &mut accepted)
                .ok_or_else(|| ArchiveError::Line { path: path.clone(), line: number })
        })?;
        if log.is_empty() {
            let mut first = Vec::new();
            let written = add(&mut first, &Line::Format(FORMAT)).and_then(|()| log.append(&first));
            written.map_err(|source| ArchiveError::Disk { path: path.clone(), source })?;
        }
        *self.log() = Some(log);
        Ok(accepted)
    }

    fn read_line(self: &Arc<Self>, number: usize, span: Span, line: &[u8], accepted: &mut Vec<Accepted>) -> Option<()> {
        match serde_json::from_slice(line).ok()? {
            Line::Format(format) => return (number == 1 && format == FORMAT).then_some(()),
            Line::Template(TemplateLine { digest, name, content }) => {
                let template = Template::stored(name.into_owned(), content.into_owned()).ok()?;
                self.versions().insert(digest.into_owned(), Arc::new(template));
            }
            Line::Message(message) => {
                let kept = Kept::Archive(Place { archive: Arc::clone(self), line: span });
                let message = message.accepted(accepted.last(), kept);
                accepted.push(message);
            }
        }
        (number > 1).then_some(())
    }

    fn read_templates(&self) -> Result<BTreeMap<String, Arc<Template>>, ArchiveError> {
        let folder = self.folder.join(TEMPLATES);
        let mut templates = BTreeMap::new();
        for (path, stem, rest) in
            folder::files(&folder).map_err(|source| ArchiveError::Disk { path: folder, source })?
        {
            if !is_digest(&stem) {
                continue;
            }
            if rest == TEMPLATE {
                let json = fs::read(&path).map_err(|source| ArchiveError::Disk { path: path.clone(), source })?;
                let template = stored_template(&json).ok_or(ArchiveError::Template(path))?;
                templates.insert(template.name.clone(), Arc::new(template));
            } else {
                folder::remove(&path).map_err(|source| ArchiveError::Disk { path, source })?;
            }
        }
        Ok(templates)
    }

    /// Brings the mails' files in line with the log: one that it does not know was never answered for, and one that is
    /// missing is written again.
    fn reconcile(&self, accepted: &[Accepted]) -> io::Result<()> {
        let captured = accepted.iter().filter(|message| message.failure.is_none());
        let mut missing: BTreeMap<&str, &Mail> = captured.map(|message| (&*message.mail.id, &message.mail)).collect();
        for (path, id, rest) in folder::files(&self.folder.join(MAILS))? {
            let known = rest == MAIL && missing.remove(&*id).is_some();
            if !known && is_message_id(&id) {
                folder::remove(&path)?;
            }
        }
        missing.into_iter().try_for_each(|(id, mail)| folder::replace(&self.mail_path(id), mail.source().as_bytes()))
    }

    fn mail_path(&self, id: &str) -> PathBuf {
        self.folder.join(MAILS).join(format!("{id}.{MAIL}"))
    }

    /// A name is any text, and two that differ in case are two: its hash is a file's name everywhere.
    fn template_path(&self, name: &str) -> PathBuf {
        self.folder.join(TEMPLATES).join(format!("{}.{TEMPLATE}", digest([Some(name)])))
    }

    fn versions(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Template>>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Option<Log>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn letter(&self) -> io::Result<Letter> {
        let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "the line is not the message that it was");
        let line = log::read(&self.archive.folder.join(LOG), self.line)?;
        let Line::Message(message) = serde_json::from_slice(&line).map_err(|_| unreadable())? else {
            return Err(unreadable());
        };
        message.letter(|digest| self.archive.versions().get(digest).cloned()).ok_or_else(unreadable)
    }

    pub(super) fn source(&self, id: &str) -> io::Result<String> {
        fs::read_to_string(self.archive.mail_path(id))
    }
}

fn add(lines: &mut Vec<u8>, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, line)?;
    lines.push(b'\n');
    Ok(())
}

fn stored_template(json: &[u8]) -> Option<Template> {
    let StoredTemplate::<TemplateContent> { format, name, content } = serde_json::from_slice(json).ok()?;
    (format == FORMAT).then(|| Template::stored(name, content).ok()).flatten()
}

/// Whether a file is named as a template's is here: others are left alone.
fn is_digest(stem: &str) -> bool {
    stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn closed() -> io::Error {
    io::Error::other("the folder was let go")
}
