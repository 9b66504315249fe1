//! A file to which lines are only added. A line counts once its end is there, so that it may be cut short at any moment.

use std::{
    fs::{File, TryLockError},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{ArchiveError, folder};

pub(super) struct Log {
    file: File,
    /// Held as long as this is. A file of its own, because some systems let nobody read one that is locked.
    _lock: File,
    /// Where the last whole line ends.
    end: u64,
    /// Whether a write that failed may have left something behind the end.
    torn: bool,
}

/// Where a line is.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub start: u64,
    pub bytes: usize,
}

impl Log {
    /// Opens it, or makes it, for this process alone; `each` is told of every line. A last one that was cut short is
    /// cut off.
    pub(super) fn open(
        path: &Path,
        mut each: impl FnMut(Span, &[u8]) -> Result<(), ArchiveError>,
    ) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::Disk { path: PathBuf::from(path), source };
        let lock = folder::private().write(true).open(path.with_extension("lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => ArchiveError::InUse(PathBuf::from(path)),
            TryLockError::Error(source) => failed(source),
        })?;
        let file = folder::private().read(true).write(true).open(path).map_err(failed)?;
        let mut reader = BufReader::new(&file);
        let mut end = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            let bytes = reader.read_until(b'\n', &mut line).map_err(failed)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            each(Span { start: end, bytes }, &line)?;
            end += bytes as u64;
        }
        file.set_len(end).map_err(failed)?;
        Ok(Self { file, _lock: lock, end, torn: false })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Adds whole lines, all or none; answers where they start.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<u64> {
        self.mend()?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.torn = true;
        if let Err(error) = self.file.write_all(lines) {
            // If even this fails, the next one tries again before it writes, or the next start cuts it off.
            let _ = self.mend();
            return Err(error);
        }
        self.torn = false;
        let start = self.end;
        self.end += lines.len() as u64;
        Ok(start)
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.end)?;
            self.torn = false;
        }
        Ok(())
    }
}

pub(super) fn read(path: &Path, span: Span) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(span.start))?;
    let mut line = vec![0; span.bytes];
    file.read_exact(&mut line)?;
    Ok(line)
}
