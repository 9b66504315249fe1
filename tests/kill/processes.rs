//! A stack with a data folder, and its workers: processes that are killed without a word and started again.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use jiff::{SignedDuration, Timestamp};

use super::{Failure, plan::Victim, site::Site};

/// Of a shard nobody works on any more: its lease has ended by then, and its message is to be seen again.
pub const ABANDONED_S: u32 = 91;

pub struct Processes {
    folder: Folder,
    limits: Limits,
    stack: Process,
    workers: Vec<Process>,
    pub site: Site,
}

/// What the processes may do at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub ses_rate: u32,
    pub workers: usize,
    /// How many shards each of them works on.
    pub shards_at_once: usize,
}

impl Processes {
    /// The workers come later.
    pub fn start(start: Timestamp, limits: Limits) -> Result<Self, Failure> {
        let folder = Folder::in_memory()?;
        let (stack, url) = stack(&folder, "0", start, limits)?;
        Ok(Self { folder, limits, stack, workers: Vec::new(), site: Site::at(url)? })
    }

    pub fn start_workers(&mut self) -> Result<(), Failure> {
        for _ in 0..self.limits.workers {
            self.workers.push(self.worker()?);
        }
        Ok(())
    }

    /// Kills one and starts it again. A stack comes back after its workers' leases have ended; theirs end with the clock.
    pub async fn kill(&mut self, victim: Victim) -> Result<(), Failure> {
        match victim {
            Victim::Worker(which) => {
                let worker = self.workers.get_mut(which).ok_or("there is no such worker")?;
                worker.kill()?;
                let anew = self.worker()?;
                if let Some(worker) = self.workers.get_mut(which) {
                    *worker = anew;
                }
            }
            Victim::Stack => {
                let later = self.site.now().await? + SignedDuration::from_secs(ABANDONED_S.into());
                let port = self.site.url.rsplit(':').next().ok_or("the stack's URL has no port")?.to_owned();
                self.stack.kill()?;
                let (stack, url) = stack(&self.folder, &port, later, self.limits)?;
                self.stack = stack;
                self.site = Site::at(url)?;
            }
        }
        Ok(())
    }

    fn worker(&self) -> Result<Process, Failure> {
        let at_once = self.limits.shards_at_once.to_string();
        let (worker, _) =
            Process::start(&["worker", "--endpoint", &self.site.url, "--concurrency", &at_once], "working for ")?;
        Ok(worker)
    }
}

fn stack(folder: &Folder, port: &str, clock: Timestamp, limits: Limits) -> Result<(Process, String), Failure> {
    let (data, clock, rate) = (folder.0.to_string_lossy(), clock.to_string(), limits.ses_rate.to_string());
    let arguments = [
        "local",
        "--no-workers",
        "--data",
        &data,
        "--port",
        port,
        "--clock",
        &clock,
        "--ses-rate",
        &rate,
        "--ses-daily-quota",
        "4000000000",
    ];
    Process::start(&arguments, "listening on ")
}

/// It does not outlive this.
struct Process(Child);

impl Process {
    /// Answers with the first line that it prints, less its beginning.
    fn start(arguments: &[&str], beginning: &str) -> Result<(Self, String), Failure> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_germane"));
        let mut child =
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("it has no output")?);
        let process = Self(child);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let rest = line.trim_end().strip_prefix(beginning);
        let rest = rest.ok_or_else(|| format!("it said {line:?} instead of {beginning:?}"))?.to_owned();
        // It goes on talking, and ends if nobody listens.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok((process, rest))
    }

    /// By SIGKILL: it is not asked, and nothing of it is finished.
    fn kill(&mut self) -> Result<(), Failure> {
        if let Some(ended) = self.0.try_wait()? {
            return Err(format!("a process had ended by itself: {ended}").into());
        }
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder of its own, in memory where the machine has such a place: a disk would take most of the time.
struct Folder(PathBuf);

impl Folder {
    fn in_memory() -> Result<Self, Failure> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
        let path = parent.join(format!("germane-kill-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The machine's own cleaning takes what stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}
