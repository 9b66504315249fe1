//! What a worker needs of memory: a process of its own works off a campaign over 100,000 people, another one over
//! 1,000,000, and the second may hardly need more than the first.
//!
//! `cargo bench --bench memory` measures; the people lie in the memory of a stack, which is not the worker's process, and
//! the rate is so high that nobody waits for it. Last come 100,000 people who all stand in one shard. It ends with 1 if a
//! limit is broken. Without `--bench`, as `cargo test
//! --benches` runs it, a few people show that everything still works.

use std::{
    fmt, fs,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use clap::Parser;
use futures_util::{StreamExt, TryStreamExt, stream};
use germane::{
    aws::{system::SystemClock, tables::DEFAULT_SHARDS},
    flow::clock::Clock,
    lambda::problem::chain,
    local::{
        Stack, StackConfig, Work,
        people::{COURSE, people},
        ses::SesConfig,
    },
};
use reqwest::Client;
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// At most so much, whatever the audience.
const LIMIT_KIB: u64 = 96_000_000 / 1024;
/// At most so many times as much for the largest audience as for the smallest.
const LIMIT_RATIO: f64 = 1.25;
const LINES_PER_REQUEST: usize = 1_000;
const REQUESTS_AT_ONCE: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Of SES: nobody waits for it.
const RATE: f64 = 50_000.0;
const CAMPAIGN: &str = "weekly";

#[derive(Parser)]
struct Options {
    /// How many people each campaign is over [default: 100000,1000000; without --bench 2000]
    #[arg(long, value_delimiter = ',', value_name = "N,N")]
    recipients: Option<Vec<usize>>,
    /// How many shards the worker works on at once; its own default unless given
    #[arg(long)]
    concurrency: Option<usize>,
    /// How many people one shard is to hold by itself [default: 100000; without --bench 2000]
    #[arg(long)]
    in_one_shard: Option<usize>,
    /// Prints one JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// Given by `cargo bench`: compares the audiences too.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one campaign came to.
struct Figures {
    recipients: usize,
    shards: u16,
    sent: u64,
    seconds: f64,
    /// Of the worker, before it had anything to do.
    at_start_kib: u64,
    peak_kib: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match bench(&Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the benchmark could not run: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Whether every limit was kept.
async fn bench(options: &Options) -> Result<bool, Failure> {
    if !fs::exists("/proc/self/status")? {
        eprintln!("only Linux tells what a process needed at its peak");
        return Ok(!options.bench);
    }
    let usual = || if options.bench { vec![100_000, 1_000_000] } else { vec![2_000] };
    let in_one_shard = options.in_one_shard.unwrap_or(if options.bench { 100_000 } else { 2_000 });
    if !options.json {
        println!("recipients    shards      sent   seconds   a second   at start      peak   (MB of the worker)");
    }
    let mut all: Vec<Figures> = Vec::new();
    let audiences = options.recipients.clone().unwrap_or_else(usual).into_iter().map(|count| (count, DEFAULT_SHARDS));
    for (recipients, shards) in audiences.chain([(in_one_shard, 1)]).filter(|(recipients, _)| *recipients > 0) {
        eprintln!("{recipients} people are put into a stack");
        let figures = measure(recipients, shards, options.concurrency).await?;
        if !options.json {
            println!("{figures}");
        }
        all.push(figures);
    }
    if options.json {
        println!("{}", all.iter().map(Figures::to_json).collect::<Value>());
    }
    let mut kept = true;
    for Figures { recipients, peak_kib, .. } in all.iter().filter(|figures| figures.peak_kib > LIMIT_KIB) {
        eprintln!("broken: {peak_kib} KiB for {recipients} people, at most {LIMIT_KIB} are allowed");
        kept = false;
    }
    all.retain(|figures| figures.shards > 1);
    let (smallest, largest) =
        (all.iter().min_by_key(|figures| figures.recipients), all.iter().max_by_key(|figures| figures.recipients));
    if let (Some(smallest), Some(largest), true) = (smallest, largest, options.bench && all.len() > 1) {
        let ratio = float(largest.peak_kib) / float(smallest.peak_kib);
        eprintln!("{ratio:.2} times as much for {} people as for {}", largest.recipients, smallest.recipients);
        if ratio > LIMIT_RATIO {
            eprintln!("broken: at most {LIMIT_RATIO} times as much is allowed");
            kept = false;
        }
    }
    Ok(kept)
}

/// Fills a stack with people, and has one worker send them a campaign.
async fn measure(recipients: usize, shards: u16, concurrency: Option<usize>) -> Result<Figures, Failure> {
    let clock = SystemClock::default();
    let http = Client::builder().no_proxy().build()?;
    let ses = SesConfig { max_send_rate: RATE, daily_quota: -1.0, ..SesConfig::default() };
    let stack =
        Stack::start(StackConfig { port: 0, shards, ses, work: Work::Elsewhere, ..StackConfig::default() }).await?;
    let url = stack.url().to_owned();
    fill(&http, &url, recipients, &clock).await?;

    let concurrency = concurrency.map(|at_once| format!("--concurrency {at_once}")).unwrap_or_default();
    let mut worker = Process::start(&format!("worker --endpoint {url} {concurrency}"))?;
    worker.says("working for ")?;
    let at_start_kib = worker.peak_kib()?;
    let begun = clock.monotonic();
    http.post(format!("{url}/v1/campaigns")).body(campaign().to_string()).send().await?.error_for_status()?;
    loop {
        clock.sleep(LOOK_EVERY).await;
        let report: Value = http.get(format!("{url}/v1/campaigns/{CAMPAIGN}")).send().await?.json().await?;
        let peak_kib = worker.peak_kib()?;
        if report.get("status").and_then(Value::as_str) == Some("complete") {
            let seconds = clock.monotonic().saturating_sub(begun).as_secs_f64();
            let sent = sent(&report, recipients).ok_or_else(|| format!("not everybody was decided on: {report}"))?;
            return Ok(Figures { recipients, shards, sent, seconds, at_start_kib, peak_kib });
        }
    }
}

/// How many mails a campaign was over all these people; `None` if that is not what it was.
fn sent(report: &Value, recipients: usize) -> Option<u64> {
    let number = |at: &str| report.pointer(at).and_then(Value::as_u64);
    number("/outcomes/sent").filter(|sent| *sent > 0 && number("/decided") == Some(recipients as u64))
}

async fn fill(http: &Client, url: &str, recipients: usize, clock: &SystemClock) -> Result<(), Failure> {
    let mut lines = people(1, recipients, clock.now()).map(|person| person.to_string());
    let bodies = std::iter::from_fn(|| {
        let lines: Vec<String> = lines.by_ref().take(LINES_PER_REQUEST).collect();
        (!lines.is_empty()).then_some(lines)
    });
    let put = async |lines: Vec<String>| {
        let put = http.post(format!("{url}/v1/recipients")).body(lines.join("\n"));
        let answers = put.send().await?.error_for_status()?.text().await?;
        if answers.matches("\"created\"").count() == lines.len() { Ok(()) } else { Err(Failure::from(answers)) }
    };
    stream::iter(bodies).map(put).buffer_unordered(REQUESTS_AT_ONCE).try_collect().await
}

/// About 30 in 100 of the invented people get it.
fn campaign() -> Value {
    json!({
        "id": CAMPAIGN, "topic": "rust/async", "channel": "work", "template": "newsletter",
        "content": { "headline": "Async closures" },
        "promotes": [COURSE],
    })
}

/// A process of the command line, which does not outlive its measurement.
struct Process(Child);

impl Process {
    fn start(arguments: &str) -> Result<Self, Failure> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_germane"));
        let command = command.args(arguments.split_whitespace());
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?))
    }

    /// The first line that it prints, less its beginning; it prints no other.
    fn says(&mut self, beginning: &str) -> Result<String, Failure> {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().ok_or("its lines were read already")?).read_line(&mut line)?;
        let rest = line.trim_end().strip_prefix(beginning);
        Ok(rest.ok_or_else(|| format!("it said {line:?} instead of {beginning:?}"))?.to_owned())
    }

    /// The most that was resident so far.
    fn peak_kib(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        Ok(peak.ok_or("the worker has ended")?.trim().parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Figures {
    fn to_json(&self) -> Value {
        json!({
            "recipients": self.recipients, "shards": self.shards, "sent": self.sent, "seconds": self.seconds.round(),
            "at_start_bytes": self.at_start_kib * 1024, "peak_bytes": self.peak_kib * 1024,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recipients, shards, sent, seconds, at_start_kib, peak_kib } = self;
        let a_second = float(*recipients as u64) / seconds;
        let megabytes = |kib: &u64| float(*kib) * 1024.0 / 1e6;
        let (at_start, peak) = (megabytes(at_start_kib), megabytes(peak_kib));
        write!(f, "{recipients:>10} {shards:>9} {sent:>9} {seconds:>9.1} {a_second:>10.0} {at_start:>10.1} {peak:>9.1}")
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn float(number: u64) -> f64 {
    number as f64
}
