//! The binary itself, and files to hand it.

use std::{
    fs,
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{self, Receiver},
    },
};

use serde_json::Value;

use super::api::Api;

#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn problem(&self) -> Value {
        serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_germane"));
    for ours in ["GERMANE_ENDPOINT", "GERMANE_AUTH", "GERMANE_TOKEN", "GERMANE_TOKEN_FILE", "NO_COLOR"] {
        command.env_remove(ours);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs the command line without any API.
pub fn alone(args: &[&str]) -> Ended {
    ended(command(args), "")
}

pub fn germane(api: &Api, args: &[&str]) -> Ended {
    germane_reading(api, args, "")
}

pub fn germane_reading(api: &Api, args: &[&str], stdin: &str) -> Ended {
    let mut command = command(args);
    command.env("GERMANE_ENDPOINT", &api.url);
    ended(command, stdin)
}

/// Runs a verb that talks to DynamoDB itself, which is at `url`.
pub fn beside_dynamodb(url: &str, args: &[&str]) -> Ended {
    let mut command = command(args);
    command
        .env("AWS_ENDPOINT_URL_DYNAMODB", url)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    ended(command, "")
}

pub fn ended(mut command: Command, stdin: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A process that runs until it is told to end; it does not outlive its test.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Lines of stderr as they come.
    remarks: Receiver<String>,
    err: String,
}

impl Running {
    pub fn start(args: &[&str]) -> Self {
        Self::spawn(command(args))
    }

    /// With everything in its log that is not of a dependency.
    pub fn start_talkative(args: &[&str]) -> Self {
        let mut command = command(args);
        command.env("RUST_LOG", "warn,dynoxide=error,germane=trace");
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (remark, remarks) = mpsc::channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| remark.send(line)));
        Self { child, lines, remarks, err: String::new() }
    }

    /// The next line that it prints, less its beginning; waits for it.
    pub fn says(&mut self, beginning: &str) -> String {
        let Some(line) = self.lines.next() else { panic!("it printed nothing more: {:?}", self.ends()) };
        let line = line.unwrap();
        line.strip_prefix(beginning).unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    /// Waits until it has remarked this on stderr.
    pub fn remarks(&mut self, text: &str) {
        while !self.err.contains(text) {
            let line = self.remarks.recv().unwrap_or_else(|_| panic!("it ended without {text:?}: {}", self.err));
            self.err.push_str(&line);
            self.err.push('\n');
        }
    }

    /// Sends it a signal, such as `-INT`.
    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits for its end; the exit code is -1 if a signal ended it.
    pub fn ends(&mut self) -> Ended {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let out: Vec<String> = self.lines.by_ref().map(Result::unwrap).collect();
        for line in &self.remarks {
            self.err.push_str(&line);
            self.err.push('\n');
        }
        Ended { code, out: out.join("\n"), err: self.err.clone() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of its own for one test; its files are named relative to it in what is printed.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        Self::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    /// In memory where the machine has such a place, for what writes too much to wait for a disk.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::under(memory) } else { Self::new() }
    }

    fn under(parent: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("germane-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    pub fn germane(&self, api: &Api, args: &[&str]) -> Ended {
        let mut command = command(args);
        command.current_dir(&self.0).env("GERMANE_ENDPOINT", &api.url);
        ended(command, "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
