//! What lies between a process and the services: the time that each call takes, and what can go wrong with it.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use germane::flow::port::PortError;

use super::{chance::Chance, clock::VirtualTime};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Refused: nothing happened, and the caller is told so.
    Throttled,
    /// Lost on the way there: nothing happens, and the caller waits until it gives up.
    LostBefore,
    /// It happened, and the caller waits for the answer until it gives up.
    LostAfter,
    /// The caller has given up when it happens.
    Late,
    /// The SDK lost an answer, repeated the call by itself, and hands on the second answer.
    Repeated,
    /// All goes well, only not soon.
    Slow,
    /// A read that need not be consistent finds what was there before.
    Stale,
}

impl Fault {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled or refused",
            Self::LostBefore => "lost before the effect",
            Self::LostAfter => "lost after the effect",
            Self::Late => "effect after the caller gave up",
            Self::Repeated => "repeated by the SDK",
            Self::Slow => "slow",
            Self::Stale => "stale read",
        }
    }

    /// What can become of any call of DynamoDB.
    pub const ALL: [Self; 6] =
        [Self::Throttled, Self::LostBefore, Self::LostAfter, Self::Late, Self::Repeated, Self::Slow];
}

/// Whom a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// DynamoDB, SQS and the scheduler.
    Tables,
    Ses,
}

/// How often calls fail, in 10,000, and until when.
#[derive(Debug, Clone, Default)]
pub struct Weather {
    pub faults: BTreeMap<Fault, u64>,
    /// When a service refuses every call.
    pub outages: Vec<(Service, Range<Duration>)>,
    /// From then on everything goes well, so that what is left can end.
    pub calm_after: Duration,
}

/// How long the SDK waits for an answer, with all that it repeats.
const GIVES_UP: Duration = Duration::from_secs(10);
/// How much later than that what was thought lost may arrive.
/// A world of so many calls does not come to an end.
const ENDLESS: u64 = 600_000;
const LATE_MICROS: Range<u64> = 0..120_000_000;
const SLOW_MICROS: Range<u64> = 500_000..9_000_000;
/// How soon the SDK repeats what was not answered.
const AGAIN_MICROS: Range<u64> = 20_000..4_000_000;

/// One process's way to the services.
#[derive(Clone)]
pub struct Network {
    /// What it is called in the trace.
    pub who: String,
    pub time: VirtualTime,
    pub chance: Chance,
    weather: Arc<Weather>,
    log: Arc<Mutex<Log>>,
}

/// What happened on all ways.
#[derive(Default)]
pub struct Log {
    /// How often each fault met a call.
    pub faults: BTreeMap<Fault, u64>,
    pub calls: u64,
    /// How often a process died, and stood still.
    pub crashes: u64,
    pub stalls: u64,
    /// A line for each call and whatever else is said; `None` unless somebody wants to read it.
    pub lines: Option<Vec<String>>,
}

impl Network {
    pub fn new(time: VirtualTime, chance: Chance, weather: Weather) -> Self {
        Self { who: "world".to_owned(), time, chance, weather: Arc::new(weather), log: Arc::default() }
    }

    /// The same from another process.
    pub fn of(&self, who: &str) -> Self {
        Self { who: who.to_owned(), ..self.clone() }
    }

    /// The same where other things go wrong.
    pub fn in_weather(&self, weather: Weather) -> Self {
        Self { weather: Arc::new(weather), ..self.clone() }
    }

    pub fn log<T>(&self, with: impl FnOnce(&mut Log) -> T) -> T {
        with(&mut self.log.lock().unwrap())
    }

    /// Whether so much happened that there is no end in sight.
    pub fn is_endless(&self) -> bool {
        self.log(|log| log.calls > ENDLESS)
    }

    /// Writes a line of the trace.
    pub fn say(&self, line: impl FnOnce() -> String) {
        let passed = self.time.passed();
        self.log(|log| {
            if let Some(lines) = &mut log.lines {
                let (s, ms) = (passed.as_secs(), passed.subsec_millis());
                lines.push(format!("{s:>8}.{ms:03} {:<10} {}", self.who, line()));
            }
        });
    }

    /// A call of DynamoDB, about 5 ms; one in fifty takes up to 40. Its effect happens on the way, all at once.
    pub async fn table<T: Send + 'static>(
        &self,
        what: &'static str,
        effect: impl FnMut() -> T + Send + 'static,
    ) -> Result<T, PortError> {
        let (there, back) = (self.chance.micros(1_500..3_500), self.chance.micros(1_500..3_500));
        let late = if self.chance.within(0..50) == 0 { self.chance.micros(0..33_000) } else { Duration::ZERO };
        let fault = self.fault(Service::Tables, &Fault::ALL);
        self.call(what, fault, there + late / 2, back + late / 2, effect).await.ok_or_else(|| gone(what))
    }

    /// A call of SES, 30 to 150 ms, of which the first third passes before SES counts the mails. `None` if the answer
    /// did not come; it is never repeated.
    pub async fn ses<T: Send + 'static>(
        &self,
        what: &'static str,
        fault: Option<Fault>,
        effect: impl FnMut() -> T + Send + 'static,
    ) -> Option<T> {
        let third = self.chance.micros(10_000..50_000);
        self.call(what, fault, third, third * 2, effect).await
    }

    /// What meets the next call, of those that can.
    pub fn fault(&self, service: Service, can: &[Fault]) -> Option<Fault> {
        let now = self.time.passed();
        let is_out = self.weather.outages.iter().any(|(of, span)| *of == service && span.contains(&now));
        if is_out && can.contains(&Fault::Throttled) {
            return Some(Fault::Throttled);
        }
        if self.weather.faults.is_empty() || self.time.passed() >= self.weather.calm_after {
            return None;
        }
        let drawn = self.chance.within(0..10_000);
        let mut below = 0;
        can.iter().copied().find(|fault| {
            below += self.weather.faults.get(fault).copied().unwrap_or(0);
            drawn < below
        })
    }

    /// Whether something else goes wrong that does so many times in 10,000 while nothing is calm.
    pub fn happens(&self, in_10_000: u64) -> bool {
        self.time.passed() < self.weather.calm_after && self.chance.happens(in_10_000)
    }

    /// Whether a read that need not be consistent is not.
    pub fn is_stale(&self) -> bool {
        let stale = self.fault(Service::Tables, &[Fault::Stale]).is_some();
        if stale {
            self.log(|log| *log.faults.entry(Fault::Stale).or_default() += 1);
        }
        stale
    }

    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        fault: Option<Fault>,
        there: Duration,
        back: Duration,
        mut effect: impl FnMut() -> T + Send + 'static,
    ) -> Option<T> {
        self.log(|log| {
            log.calls += 1;
            if let Some(fault) = fault {
                *log.faults.entry(fault).or_default() += 1;
            }
        });
        let slow = if fault == Some(Fault::Slow) { self.chance.micros(SLOW_MICROS) } else { Duration::ZERO };
        let there = there + slow;
        let arrives = match fault {
            Some(Fault::Throttled | Fault::LostBefore) => None,
            Some(Fault::Late) => Some(GIVES_UP + self.chance.micros(LATE_MICROS)),
            Some(Fault::LostAfter | Fault::Repeated | Fault::Slow | Fault::Stale) | None => Some(there),
        };
        let line = format!("{what}{}", told(fault));
        let Some(arrives) = arrives else {
            self.say(|| line);
            self.time.sleep(if fault == Some(Fault::Throttled) { there + back } else { GIVES_UP }).await;
            return None;
        };
        // It happens when the call arrives, whatever has become of the caller by then.
        let answer: Arc<Mutex<Option<T>>> = Arc::default();
        let happen = Arc::new(Mutex::new({
            let (way, place) = (self.clone(), Arc::clone(&answer));
            move || {
                way.say(|| line.clone());
                *place.lock().unwrap() = Some(effect());
            }
        }));
        let at = |span: Duration| {
            let happen = Arc::clone(&happen);
            self.time.after(span, move || (happen.lock().unwrap())());
        };
        at(arrives);
        let again = self.chance.micros(AGAIN_MICROS);
        let answered = match fault {
            Some(Fault::LostAfter | Fault::Late) => {
                self.time.sleep(GIVES_UP).await;
                return None;
            }
            Some(Fault::Repeated) => {
                at(there + again);
                there + again + back
            }
            Some(Fault::Throttled | Fault::LostBefore | Fault::Slow | Fault::Stale) | None => there + back,
        };
        self.time.sleep(answered).await;
        answer.lock().unwrap().take()
    }
}

fn told(fault: Option<Fault>) -> String {
    fault.map_or(String::new(), |fault| format!(" [{fault:?}]"))
}

fn gone(what: &'static str) -> PortError {
    PortError::unavailable("a simulated service", what)
}
