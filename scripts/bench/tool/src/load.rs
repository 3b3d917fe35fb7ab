//! The load: open loop at a fixed rate, or as fast as the connections go.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};

use crate::client::{Client, Progress};
use crate::message::{self, Template};
use crate::poll::{News, Poll};
use crate::schedule::Schedule;
use crate::tally::Tally;

/// How long answers are waited for after the last call, in nanoseconds.
const GRACE_NS: u64 = 1_000_000_000;

/// Tries to have each connection of the beginning. A server may let fewer wait than there are (Java's lets 50): while it
/// accepts none, as when it has just started, the next one is not answered.
const FIRST_CONNECT_TRIES: usize = 25;

/// What to send where.
#[derive(clap::Args, Debug)]
pub struct LoadArgs {
    /// Where the calls go
    #[arg(long)]
    server: SocketAddr,
    /// Calls per second on an absolute schedule; 0 sends the next call on each connection as soon as it is answered
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Connections, each with one call at a time
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Length of the measured part
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Length of the part before it
    #[arg(long, default_value_t = 0.5)]
    warmup: f64,
    /// POST with a JSON body of this size instead of GET
    #[arg(long, value_name = "BYTES")]
    post: Option<usize>,
    /// Size of the answer's body that is asked for and checked
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    answer: usize,
    /// GET this path instead, and take a good answer of any size
    #[arg(long, conflicts_with = "post")]
    path: Option<String>,
}

/// Whether a connection was not answered, as by a server that lets no more wait.
fn is_full(end: &std::io::Result<()>) -> bool {
    end.as_ref().is_err_and(|error| error.kind() == ErrorKind::TimedOut)
}

/// Runs the load to its end and gives its result.
pub fn run(args: &LoadArgs) -> Result<Value, String> {
    let mut load = Load::new(args)?;
    load.go()?;
    let mut result = load.tally.to_json(load.end_ns);
    result["rate"] = json!(args.rate);
    result["seconds"] = json!(args.seconds);
    Ok(result)
}

struct Load {
    server: SocketAddr,
    /// `None` where any size is good.
    answer_bytes: Option<usize>,
    start: Instant,
    end_ns: u64,
    poll: Poll,
    /// By token. `None` where a connection was lost and none could be had since.
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    /// Instants of the calls for which no connection was free.
    waiting: VecDeque<u64>,
    schedule: Option<Schedule>,
    next_call: u64,
    request: Template,
    number: u64,
    tally: Tally,
}

impl Load {
    fn new(args: &LoadArgs) -> Result<Self, String> {
        let poll = Poll::new().map_err(|error| error.to_string())?;
        let nanos = |seconds: f64| (seconds.max(0.0) * 1e9) as u64;
        let end_ns = nanos(args.warmup) + nanos(args.seconds);
        let mut load = Self {
            server: args.server,
            answer_bytes: args.path.is_none().then_some(args.answer),
            start: Instant::now(),
            end_ns,
            poll,
            clients: (0..args.connections).map(|_| None).collect(),
            free: Vec::new(),
            waiting: VecDeque::new(),
            schedule: (args.rate > 0).then(|| Schedule::new(args.rate, end_ns)),
            next_call: 0,
            request: match &args.path {
                Some(path) => message::get(args.server, path),
                None => message::request(args.post, args.answer),
            },
            number: 0,
            tally: Tally::new(nanos(args.warmup))?,
        };
        for token in 0..args.connections {
            let mut tries = (0..FIRST_CONNECT_TRIES).map(|_| load.connect(token)).skip_while(is_full);
            let end = tries.next().unwrap_or_else(|| Err(ErrorKind::TimedOut.into()));
            drop(tries);
            end.map_err(|error| format!("connection {token} to {}: {error}", args.server))?;
            load.free.push(token);
        }
        load.start = Instant::now();
        Ok(load)
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn connect(&mut self, token: usize) -> std::io::Result<()> {
        self.clients[token] = None;
        let client = Client::connect(self.server)?;
        self.poll.watch(&client.socket, token as u64)?;
        self.clients[token] = Some(client);
        Ok(())
    }

    fn go(&mut self) -> Result<(), String> {
        let mut news: Vec<News> = Vec::new();
        if self.schedule.is_none() {
            (0..self.clients.len()).for_each(|_| self.call(0));
        }
        loop {
            self.send_due();
            let now = self.now_ns();
            let idle = self.free.len() == self.clients.len() && self.waiting.is_empty();
            if now >= self.end_ns && (idle || now >= self.end_ns + GRACE_NS) {
                break;
            }
            let until = self.next_due().unwrap_or(if now < self.end_ns { self.end_ns } else { self.end_ns + GRACE_NS });
            self.poll.wait(Some(until.saturating_sub(now)), &mut news).map_err(|error| error.to_string())?;
            for one in &news {
                self.heard(*one);
            }
        }
        let end = self.now_ns();
        let under_way = self.clients.iter().flatten().filter_map(|client| client.call_ns);
        for intended in under_way.chain(self.waiting.iter().copied()).collect::<Vec<_>>() {
            // As fast as connections go, a call cut by the end is neither slow nor lost unless it hung for the grace.
            if self.schedule.is_some() || end >= self.end_ns + GRACE_NS {
                self.tally.unfinished(intended, end);
            }
        }
        Ok(())
    }

    fn next_due(&self) -> Option<u64> {
        self.schedule.and_then(|schedule| schedule.intended_ns(self.next_call))
    }

    fn send_due(&mut self) {
        while let Some(intended) = self.next_due()
            && intended <= self.now_ns()
        {
            self.next_call += 1;
            if self.free.is_empty() { self.waiting.push_back(intended) } else { self.call(intended) }
        }
    }

    /// Sends on a free connection. A connection that cannot be had fails the call.
    fn call(&mut self, intended_ns: u64) {
        let Some(token) = self.free.pop() else { return };
        if self.clients[token].is_none() && self.connect(token).is_err() {
            self.tally.failed("connect");
            self.free.insert(0, token);
            return;
        }
        self.number += 1;
        self.tally.sent(intended_ns, self.now_ns());
        let Some(client) = &mut self.clients[token] else { return };
        if let Err(why) = client.send(intended_ns, self.request.with(self.number)) {
            self.lost(token, why);
        }
    }

    fn heard(&mut self, news: News) {
        let token = news.token as usize;
        let Some(client) = &mut self.clients[token] else { return };
        let Some(intended) = client.call_ns else {
            // Closed by the server while nothing was under way: no failure, the next call connects anew.
            if news.gone {
                self.clients[token] = None;
            }
            return;
        };
        match client.go_on(self.answer_bytes) {
            Progress::Waiting => {}
            Progress::Good(closes) => {
                client.call_ns = None;
                if closes || news.gone {
                    self.clients[token] = None;
                }
                let now = self.now_ns();
                self.tally.answered(intended, now);
                self.freed(token, now);
            }
            Progress::Bad(why) => self.lost(token, why),
        }
    }

    fn lost(&mut self, token: usize, why: &'static str) {
        self.tally.failed(why);
        self.clients[token] = None;
        let now = self.now_ns();
        self.freed(token, now);
    }

    /// Gives a connection its next call.
    fn freed(&mut self, token: usize, now_ns: u64) {
        self.free.push(token);
        if self.schedule.is_none() {
            if now_ns < self.end_ns {
                self.call(now_ns);
            }
        } else if let Some(intended) = self.waiting.pop_front() {
            self.call(intended);
        }
    }
}
