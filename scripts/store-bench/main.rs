//! How fast the store takes captures, beside a bare loop that inserts the same raw bytes, in one interleaved run.
//!
//! For every chunk of captures: made and redacted without the clock running, then given to the recorder's own threads
//! until they are committed, then inserted raw by the bare loop, in transactions of the same size. With `--redact` the
//! redaction with the built-in rules runs inside the recorder, as in production, and is timed with it. With `--stream`
//! captures are made one at a time while they are written, so that the process holds little but the recorder: for its
//! memory, and for long runs. With `--read` the file is read afterwards.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

mod bare;
mod reading;
mod traffic;

use bare::Bare;
use clap::Parser;
use darklaunch::exchange::{Capture, Clock, Integration};
use darklaunch::recorder::{self, Held, Inputs, Stages};
use darklaunch::redact::{PseudonymKey, Recording, Redacted, Redactor, builtin};
use darklaunch::store::{self, RunInfo, Writer};
use darklaunch::telemetry::Ledger;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::mpsc;
use traffic::Traffic;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Captures per second of the recorder's store beside a bare rusqlite loop, and bytes on disk")]
struct Args {
    /// Captures in all
    #[arg(long, default_value_t = 200_000)]
    captures: u64,
    /// Captures between two turns of the clock
    #[arg(long, default_value_t = 20_000)]
    chunk: u64,
    /// Of the answers so many percent repeat a recent one
    #[arg(long, default_value_t = 50)]
    repeated: u64,
    /// Of the shadow's answers so many percent equal the primary's
    #[arg(long, default_value_t = 50)]
    same: u64,
    /// Redact with the built-in rules inside the measured line
    #[arg(long)]
    redact: bool,
    /// Captures per transaction, of both
    #[arg(long, default_value_t = 2_000)]
    batch: usize,
    /// Bytes of ready captures per transaction at most; the recorder's own limit unless said
    #[arg(long)]
    batch_bytes: Option<usize>,
    /// Bytes of ready captures that wait for the writer at most; the recorder's own limit unless said
    #[arg(long)]
    ready_bytes: Option<usize>,
    /// Threads before the writer
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Leave the bare loop out, for long runs
    #[arg(long)]
    alone: bool,
    /// Made one at a time while they are written, without the bare loop: the memory is the recorder's
    #[arg(long, conflicts_with = "redact")]
    stream: bool,
    /// Afterwards, time what people ask of the file
    #[arg(long)]
    read: bool,
    /// The database is written here and kept
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Pruned beyond so many bytes while it is written
    #[arg(long)]
    size_max: Option<u64>,
}

/// What is redacted before the clock runs, or within.
enum Piece {
    Raw(Box<Capture>),
    Sealed(Box<Redacted<Recording>>),
}

/// Tells when the last capture of a chunk is committed: every capture holds a copy.
struct Done(#[expect(dead_code, reason = "its drop is what is waited for")] SyncSender<()>);

struct Taken {
    piece: Piece,
    done: Arc<Done>,
}

struct Line {
    captures: mpsc::Sender<Taken>,
    recorder: recorder::Recorder,
    // Held so that the recorder waits for more.
    _shards: mpsc::Sender<darklaunch::latency::Shard>,
}

impl Line {
    fn close(self) {
        drop(self.captures);
        drop(self._shards);
        self.recorder.join();
    }
}

/// Captures made before the memory of the process is called idle.
const WARM_UP: usize = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let folder = tempfile::tempdir()?;
    let path = args.keep.clone().unwrap_or_else(|| folder.path().join("darklaunch.db"));
    let rules = if args.redact { builtin() } else { Vec::new() };
    let redactor = Redactor::compile(&rules, PseudonymKey::new([7; 32]), darklaunch::redact::Settings::default());
    let redactor = Arc::new(redactor.map_err(|problems| format!("{problems:?}"))?);
    let line = start(&args, &path, Arc::clone(&redactor))?;
    if args.stream {
        stream(&args, line, &path)?;
        return if args.read { reading::time(&path) } else { Ok(()) };
    }
    let mut bare = Bare::open(&folder.path().join("bare.db"), args.batch)?;
    let mut traffic = Traffic::new(1, args.repeated, args.same);
    let idle = rss_bytes();
    let mut total = Figures::default();
    let mut million = Figures::default();
    println!("captures   store/s    bare/s   ratio  store CPU us  bare CPU us  bytes/capture  RSS above idle MiB");
    let mut captures = 0;
    while captures < args.captures {
        let chunk: Vec<Capture> = (0..args.chunk).map(|_| traffic.capture()).collect();
        let sealed = |one: &Capture| match args.redact {
            true => Piece::Raw(Box::new(one.clone())),
            false => Piece::Sealed(Box::new(redactor.capture(one.clone()))),
        };
        let pieces: Vec<Piece> = chunk.iter().map(sealed).collect();
        let turn = Figures {
            captures: args.chunk,
            store: Spent::on(|| write(&line, pieces))?,
            bare: if args.alone { Spent::default() } else { Spent::on(|| bare.write(&chunk))? },
        };
        captures += args.chunk;
        total.add(&turn);
        million.add(&turn);
        if million.captures >= 1_000_000.min(args.captures / 5).max(args.chunk) {
            let bytes = bytes_of(&path) as f64 / captures as f64;
            let memory = rss_bytes().saturating_sub(idle) >> 20;
            println!("{captures:>8}  {}  {bytes:>13.0}  {memory:>6}", million.text());
            million = Figures::default();
        }
    }
    line.close();
    println!("   whole  {}  {:>13.0}", total.text(), bytes_of(&path) as f64 / captures as f64);
    if args.read { reading::time(&path) } else { Ok(()) }
}

/// Writes what is made meanwhile, and tells rate, size and memory ten times, or for each million.
fn stream(args: &Args, line: Line, path: &Path) -> Result<(), Box<dyn Error>> {
    let mut traffic = Traffic::new(1, args.repeated, args.same);
    // What may be repeated is held: it is no memory of the recorder.
    (0..WARM_UP).for_each(|_| drop(traffic.capture()));
    let idle = rss_bytes();
    let step = (args.captures / 10).clamp(1, 1_000_000);
    println!(
        "captures  seconds   store/s  bytes/capture  CPU us/capture  written, read bytes/capture  RSS above idle MiB, of {} idle",
        idle >> 20
    );
    let (tell, ended) = sync_channel(1);
    let done = Arc::new(Done(tell));
    let mut spent = Spent::default();
    let (mut rates, mut cpus, mut memories) = (Vec::new(), Vec::new(), Vec::new());
    for first in (0..args.captures).step_by(step as usize) {
        let count = step.min(args.captures - first);
        let turn = Spent::on(|| {
            for _ in 0..count {
                let piece = Piece::Raw(Box::new(traffic.capture()));
                line.captures.blocking_send(Taken { piece, done: Arc::clone(&done) })?;
            }
            Ok(())
        })?;
        spent = spent.and(turn);
        let (rate, bytes) = (count as f64 * 1e6 / turn.clock_us as f64, bytes_of(path) as f64 / (first + count) as f64);
        let (cpu, memory) = (turn.cpu_us as f64 / count as f64, rss_bytes().saturating_sub(idle) >> 20);
        let seconds = spent.clock_us / 1_000_000;
        let (written, read) = (turn.written_bytes / count, turn.read_bytes / count);
        println!(
            "{:>8}  {seconds:>7}  {rate:>8.0}  {bytes:>13.0}  {cpu:>14.1}  {written:>8} {read:>8}  {memory:>6}",
            first + count
        );
        rates.push(rate);
        cpus.push(cpu);
        memories.push(memory);
    }
    drop(done);
    let _ = ended.recv();
    line.close();
    let rate = args.captures as f64 * 1e6 / spent.clock_us as f64;
    println!("   whole           {rate:>8.0}  {:>13.0}", bytes_of(path) as f64 / args.captures as f64);
    // In the first step the dictionary is trained and the caches fill: the others are held against the second.
    if let [_, second, .., last] = rates[..]
        && let [_, second_cpu, .., last_cpu] = cpus[..]
    {
        let most = memories.iter().max().copied().unwrap_or_default();
        let (rate, cpu) = (last * 100.0 / second, last_cpu * 100.0 / second_cpu);
        println!("the last step beside the second: rate {rate:.0} %, CPU a capture {cpu:.0} %; most memory {most} MiB");
    }
    Ok(())
}

fn start(args: &Args, path: &Path, redactor: Arc<Redactor>) -> Result<Line, Box<dyn Error>> {
    let limits = store::Settings { path: path.into(), size_bytes_max: args.size_max, ..store::Settings::default() };
    let info = RunInfo {
        instance: "bench".to_owned(),
        config_hash: String::new(),
        started_unix_us: Clock.unix_us(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let writer = Writer::open(&limits, info)?;
    // What waits before the recorder is bounded at the door, in bytes; here it should not be counted as the recorder's.
    let (captures, taken) = mpsc::channel::<Taken>(if args.stream { 64 } else { 1_024 });
    let (shards, shards_in) = mpsc::channel(1);
    let (_, announced) = mpsc::channel(1);
    let inputs = Inputs {
        taken,
        announced,
        shards: shards_in,
        ledger: Ledger::new(vec!["payments".into()]),
        totals: Arc::default(),
        switches: Box::new(Vec::new),
        report: Box::new(|problem| problem.into_iter().for_each(|problem| eprintln!("{problem}"))),
    };
    let again = Arc::clone(&redactor);
    let stages = Stages {
        split: |taken: Taken| -> (Integration, Piece, Held) { ("payments".into(), taken.piece, Box::new(taken.done)) },
        redact: Arc::new(move |piece| match piece {
            Piece::Raw(capture) => redactor.capture(*capture),
            Piece::Sealed(recording) => *recording,
        }),
        redact_announced: Arc::new(move |capture| again.capture(capture)),
        observe: Arc::new(|_| ()),
        name_endpoint: Box::new(|_, endpoint| endpoint.to_owned()),
    };
    let own = recorder::Settings::default();
    let settings = recorder::Settings {
        redactor_threads: args.threads,
        batch_captures_max: args.batch,
        batch_bytes_max: args.batch_bytes.unwrap_or(own.batch_bytes_max),
        ready_bytes_max: args.ready_bytes.unwrap_or(own.ready_bytes_max),
        ..own
    };
    let recorder = recorder::start(settings, inputs, stages, writer, |_| ())?;
    Ok(Line { captures, recorder, _shards: shards })
}

/// From the first capture handed over to the last one committed.
fn write(line: &Line, pieces: Vec<Piece>) -> Result<(), Box<dyn Error>> {
    let (tell, ended): (SyncSender<()>, Receiver<()>) = sync_channel(1);
    let done = Arc::new(Done(tell));
    for piece in pieces {
        line.captures.blocking_send(Taken { piece, done: Arc::clone(&done) })?;
    }
    drop(done);
    // Nothing is ever sent: the channel ends with the last copy.
    let _ = ended.recv();
    Ok(())
}

/// What one turn took of all threads together: microseconds by the clock and of the processor, bytes asked of files.
#[derive(Clone, Copy, Default)]
struct Spent {
    clock_us: u64,
    cpu_us: u64,
    written_bytes: u64,
    read_bytes: u64,
}

impl Spent {
    fn on(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Self, Box<dyn Error>> {
        let (start, cpu, (written, read)) = (Clock.now(), cpu_us(), file_bytes());
        work()?;
        let (written_now, read_now) = file_bytes();
        Ok(Self {
            clock_us: Clock.elapsed_us(start),
            cpu_us: cpu_us().saturating_sub(cpu),
            written_bytes: written_now.saturating_sub(written),
            read_bytes: read_now.saturating_sub(read),
        })
    }

    fn and(self, other: Self) -> Self {
        Self {
            clock_us: self.clock_us + other.clock_us,
            cpu_us: self.cpu_us + other.cpu_us,
            written_bytes: self.written_bytes + other.written_bytes,
            read_bytes: self.read_bytes + other.read_bytes,
        }
    }
}

#[derive(Default)]
struct Figures {
    captures: u64,
    store: Spent,
    bare: Spent,
}

impl Figures {
    fn add(&mut self, turn: &Self) {
        self.captures += turn.captures;
        self.store = self.store.and(turn.store);
        self.bare = self.bare.and(turn.bare);
    }

    fn text(&self) -> String {
        let rate = |spent: Spent| self.captures as f64 * 1e6 / spent.clock_us.max(1) as f64;
        let cpu = |spent: Spent| spent.cpu_us as f64 / self.captures.max(1) as f64;
        let (store, bare) = (rate(self.store), rate(self.bare));
        let ratio = if self.bare.clock_us == 0 { "-".to_owned() } else { format!("{:.2}", store / bare) };
        format!("{store:>8.0}  {bare:>8.0}  {ratio:>6}  {:>12.1}  {:>11.1}", cpu(self.store), cpu(self.bare))
    }
}

/// The file with its write-ahead log.
fn bytes_of(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    [path.as_os_str(), &log].into_iter().filter_map(|path| Path::new(path).metadata().ok()).map(|it| it.len()).sum()
}

fn rss_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() << 10
}

/// Written and read by every thread of the process, from files or the cache of the system.
fn file_bytes() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let of =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or_default();
    (of("wchar:"), of("rchar:"))
}

/// Of every thread of the process, microseconds; the kernel counts in hundredths of a second.
fn cpu_us() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field, the name, may hold blanks; it ends with the last bracket.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) * 10_000
}
