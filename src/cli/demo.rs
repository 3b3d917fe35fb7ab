//! `demo`: the whole product on sample providers, with progress, and what came of it.

use crate::cli::recorder::{self, ConsoleArg};
use crate::cli::{Done, Failure, Output, OutputArg, print};
use crate::demo::{self, DemoReport, DemoSettings};
use clap::Args;
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Calls the sample application makes
    #[arg(long, value_name = "N", default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    calls: u32,
    /// Folder for the database and the fixtures; must be new or hold an earlier demo
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    out: PathBuf,
    /// Keep everything running afterwards, with traffic, until interrupted
    #[arg(long)]
    stay: bool,
    #[command(flatten)]
    output: OutputArg,
}

pub(crate) fn demo(args: &DemoArgs) -> Done {
    let settings = DemoSettings { calls: args.calls, out: args.out.clone() };
    let bar = ProgressBar::new(u64::from(args.calls));
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} calls, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▌ "));
    bar.set_message("mirroring");
    let demo = demo::start(settings).map_err(Failure::usage)?;
    let traffic = demo.traffic().map(|traffic| format!("calls go through http://{traffic} and ")).unwrap_or_default();
    let console = demo.console();
    print::talk(&format!("two sample providers and a recorder are running; {traffic}the console is http://{console}"));
    let ran = demo.run_application(&mut |done| bar.set_position(done)).map_err(Failure::usage)?;
    bar.finish_and_clear();
    if args.stay {
        return stay(args, ran);
    }
    let report = ran.close().map_err(Failure::usage)?;
    show(args.output, &report)
}

fn stay(args: &DemoArgs, ran: demo::Ran) -> Done {
    let report = ran.report().map_err(Failure::usage)?;
    show(args.output, &report)?;
    let config = args.out.join("darklaunch.toml");
    // A demo without a link still shows everything but a start.
    let link = recorder::login_link(&ConsoleArg::of(config), "admin").ok();
    let link = link.as_ref().and_then(|link| link["url"].as_str()).unwrap_or_default();
    print::talk(&format!(
        "still running: open http://{} to look and to stop, no log-in needed; to start as well, open this once within \
         five minutes:\n{link}\nCtrl-C ends it",
        ran.console()
    ));
    ran.stay().map_err(Failure::usage)
}

fn show(output: OutputArg, report: &DemoReport) -> Done {
    print::file(&review_file(report), report.review.to_html().as_bytes())?;
    match output.output {
        Output::Json => print::json(&report.to_json()),
        Output::Text => print::data(&text(report)),
    }
}

fn review_file(report: &DemoReport) -> PathBuf {
    report.store.with_file_name("review.html")
}

fn text(report: &DemoReport) -> String {
    let app = &report.application;
    let mut hits = Table::new();
    hits.load_style(UTF8_HORIZONTAL_ONLY).set_header(["redaction rule", "values replaced"]);
    for (rule, count) in &report.redacted {
        hits.add_row([rule.clone(), count.to_string()]);
    }
    // As the user called it: `cargo run` gives the path of the binary, an installed one its name.
    let program = std::env::args().next().unwrap_or_else(|| "darklaunch".to_owned());
    let out = report.store.parent().unwrap_or(&report.store).display();
    format!(
        "\n1. What the application saw\n\
         {} calls, {} answered by the current provider, {} failed. Added latency of the recorder: {}.\n\
         \n2. The ledger: every call ends in one counted state\n{}\n\
         \n3. Latency of both providers, and what a timeout would cut\n{}\n\
         \n4. What was redacted before anything was stored\n{hits}\n\
         \n5. May it go live? {verdict}\n{summary}\n\
         \n6. What there is now\n\
         recordings  {}\nfixtures    {} ({} WireMock mappings)\nreview      {review} (fifteen checks, curves, settings to paste)\n\
         \n7. Go on with\n\
         {program} review {name} --store {store}\n\
         {program} latency {name} --store {store} --what-if 100ms\n\
         {program} recordings list --store {store} --outcome ok_but_error\n\
         {program} export {name} --store {store} --format wiremock --out {out}/more\n\
         {program} demo --stay\n",
        app.calls,
        app.answered_by_current,
        app.failed,
        format_args!("{:.2} ms on average", app.added_mean_us / 1_000.0),
        report.ledger_text,
        report.latency_text,
        report.store.display(),
        report.fixtures.display(),
        report.fixture_count,
        verdict = report.review.verdict.words(),
        summary = report.review.summary,
        review = review_file(report).display(),
        name = report.integration,
        store = report.store.display(),
    )
}
