//! Each door in a process of its own, watched from outside: one that hangs, overflows its stack or asks for more memory
//! than there is ends alone, and what it was given last is known.

use std::{
    collections::VecDeque,
    env, fs,
    io::Read,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::Mutex,
    thread,
    time::Duration,
};

use crate::{
    Options, corpus,
    doors::Door,
    generate,
    report::{self, Failure, Row},
    run::keep,
};

/// An input that takes longer hangs. It is the only thing here that depends on time, and far from what any takes.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub fn all(doors: &[&'static Door], options: &Options) -> ExitCode {
    let waiting: Mutex<VecDeque<(usize, &'static Door)>> = Mutex::new(doors.iter().copied().enumerate().collect());
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let Some((place, door)) = waiting.lock().unwrap().pop_front() else { return };
                    let row = watched(door, options);
                    rows.lock().unwrap().push((place, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|(place, _)| *place);
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    report::print(&rows, options);
    report::complain(&rows);
    if rows.iter().all(|row| row.broken == 0) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn watched(door: &'static Door, options: &Options) -> Row {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let notes = folder.join(format!("notes-{}-{}", door.name, std::process::id()));
    let mut child = Command::new(env::current_exe().expect("this program has a path"))
        .args(["--door", door.name, "--inputs", &options.inputs().to_string(), "--seed", &options.seed.to_string()])
        .arg("--notes")
        .arg(&notes)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program can be started again");
    let end = watch(&mut child, &notes);
    let (mut printed, mut said) = (String::new(), String::new());
    child.stdout.take().map(|mut from| from.read_to_string(&mut printed));
    child.stderr.take().map(|mut from| from.read_to_string(&mut said));
    let last = fs::read(&notes).ok().and_then(|noted| Some(u64::from_be_bytes(*noted.first_chunk()?)));
    // It may have ended before it wrote any.
    let _ = fs::remove_file(&notes);
    if let Some(row) = printed.lines().last().and_then(report::parse) {
        return row;
    }
    let mut row = Row::new(door);
    row.broken = 1;
    let why = end.unwrap_or_else(|| {
        let said: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
        format!("its process ended: {}", said.join("; "))
    });
    row.failures.push(last_input(door, options, last.unwrap_or_default(), why));
    row
}

/// Waits for its end; says why it was ended, if it was.
fn watch(child: &mut Child, notes: &Path) -> Option<String> {
    let mut seen = None;
    let mut still = Duration::ZERO;
    loop {
        if child.try_wait().expect("a child can be waited for").is_some() {
            return None;
        }
        thread::sleep(LOOK_EVERY);
        let now = fs::read(notes).ok();
        still = if now == seen { still + LOOK_EVERY } else { Duration::ZERO };
        seen = now;
        if still > PATIENCE {
            child.kill().expect("a child can be ended");
            child.wait().expect("a child can be waited for");
            return Some(format!("it took more than {} seconds", PATIENCE.as_secs()));
        }
    }
}

fn last_input(door: &'static Door, options: &Options, number: u64, why: String) -> Failure {
    let kept = corpus::of(door.name);
    let (place, input) = if let Some((name, input)) = kept.get(usize::try_from(number).unwrap()) {
        (format!("corpus file {name}"), input.clone())
    } else {
        let number = number - kept.len() as u64;
        let input = generate::input(door, &(door.documents)(), options.seed, number);
        (format!("input {number} of seed {}", options.seed), input)
    };
    Failure { place, why, kept: keep(door, &input, number) }
}
