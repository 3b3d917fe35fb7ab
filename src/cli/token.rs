//! Tokens of the console: made, listed and taken back in the state folder, which needs no running recorder.

use crate::cli::recorder::{self, ConsoleArg};
use crate::cli::{ConfigArg, Done, Failure, Output, OutputArg, print};
use crate::config::{self, Role, StateFolder, TokenRecord, TokensError};
use crate::exchange::Clock;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and show it, once: a running recorder accepts it at once
    Create(CreateArgs),
    /// Who has a token
    List(ListArgs),
    /// Take a token back: it is refused at once, and its sessions end
    Revoke(RevokeArgs),
    /// A link that logs one browser in at the console, once, within five minutes
    LoginLink(LinkArgs),
}

/// What a token is for.
#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    /// Reads pages, API and metrics
    Viewer,
    /// Stops and starts too
    Operator,
    /// Makes log-in links too
    Admin,
}

impl RoleArg {
    fn role(self) -> Role {
        match self {
            Self::Viewer => Role::Viewer,
            Self::Operator => Role::Operator,
            Self::Admin => Role::Admin,
        }
    }
}

#[derive(Args)]
pub(crate) struct CreateArgs {
    /// What it is for
    #[arg(long)]
    role: RoleArg,
    /// Whose it is; the history of switches says so
    #[arg(long)]
    name: String,
    /// How long it is good, such as 90d [default: until it is revoked]
    #[arg(long, value_name = "DURATION")]
    expires: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// Whose token
    name: String,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Args)]
pub(crate) struct LinkArgs {
    /// What the browser may do
    #[arg(long, default_value = "admin")]
    role: RoleArg,
    #[command(flatten)]
    console: ConsoleArg,
    #[command(flatten)]
    output: OutputArg,
}

pub(crate) fn token(command: &TokenCommand) -> Done {
    match command {
        TokenCommand::Create(args) => create(args),
        TokenCommand::List(args) => list(args),
        TokenCommand::Revoke(args) => revoke(args),
        TokenCommand::LoginLink(args) => link(args),
    }
}

fn folder(config: &ConfigArg) -> Result<StateFolder, Failure> {
    StateFolder::open(&config.load()?.config.store.path).map_err(Failure::usage)
}

fn create(args: &CreateArgs) -> Done {
    let now = Clock.unix_us();
    let expires = match &args.expires {
        None => None,
        Some(text) => Some(end(text, now)?),
    };
    let role = args.role.role();
    let made = folder(&args.config)?.change_tokens(|tokens| tokens.create(&args.name, role, now, expires));
    let text = made.map_err(|error: TokensError| Failure::usage(error))?;
    match args.output.output {
        Output::Json => print::json(&json!({
            "schema": "darklaunch.token/v1",
            "name": args.name,
            "role": role,
            "token": text,
            "expires_at": expires.map(rfc3339),
        })),
        Output::Text => {
            let until = expires.map_or_else(|| "until it is revoked".to_owned(), |at| format!("until {}", rfc3339(at)));
            print::talk(&format!("{} may log in as {} {until}. The token is shown this once:", args.name, role.name()));
            print::data(&text)
        }
    }
}

fn end(text: &str, now_unix_us: i64) -> Result<i64, Failure> {
    let bad = |why: String| Failure::usage(format!("--expires {text:?} {why}"));
    let ms = config::duration_ms(text).map_err(|error| bad(format!("{}; {}", error.text, error.remedy)))?;
    let us = i64::try_from(ms).ok().and_then(|ms| ms.checked_mul(1_000)).filter(|us| *us > 0);
    let end = us.and_then(|us| now_unix_us.checked_add(us));
    end.ok_or_else(|| bad("is no time in the future; write one such as 90d".to_owned()))
}

fn rfc3339(unix_us: i64) -> String {
    jiff::Timestamp::from_microsecond(unix_us).map_or_else(|_| "never".to_owned(), |at| format!("{at:.0}"))
}

fn list(args: &ListArgs) -> Done {
    let path = args.config.load()?.config.store.path;
    let tokens = StateFolder::tokens_of(&path).map_err(Failure::usage)?;
    let now = Clock.unix_us();
    match args.output.output {
        Output::Json => {
            let tokens: Vec<Value> = tokens.records().iter().map(|one| row_json(one, now)).collect();
            print::json(&json!({ "schema": "darklaunch.tokens/v1", "tokens": tokens }))
        }
        Output::Text if tokens.records().is_empty() => {
            print::data("nobody has a token; make one with `darklaunch token create --role operator --name NAME`")
        }
        Output::Text => {
            let mut table = Table::new();
            table.load_style(UTF8_HORIZONTAL_ONLY).set_header(["name", "role", "state", "made", "expires"]);
            for one in tokens.records() {
                let expires = one.expires_unix_us.map(rfc3339).unwrap_or_default();
                let made = rfc3339(one.created_unix_us);
                table.add_row([&one.name, one.role.name(), one.state(now), &made, &expires]);
            }
            print::data(&table.to_string())
        }
    }
}

fn row_json(one: &TokenRecord, now: i64) -> Value {
    json!({
        "name": one.name,
        "role": one.role,
        "state": one.state(now),
        "created_at": rfc3339(one.created_unix_us),
        "expires_at": one.expires_unix_us.map(rfc3339),
        "revoked_at": one.revoked_unix_us.map(rfc3339),
    })
}

fn revoke(args: &RevokeArgs) -> Done {
    let revoked = folder(&args.config)?.change_tokens(|tokens| tokens.revoke(&args.name, Clock.unix_us()));
    revoked.map_err(|error: TokensError| Failure::usage(error))?;
    print::data(&format!("the token of {} is revoked", args.name))
}

fn link(args: &LinkArgs) -> Done {
    let link = recorder::login_link(&args.console, args.role.role().name())?;
    match args.output.output {
        Output::Json => print::json(&json!({
            "schema": "darklaunch.login_link/v1",
            "url": link["url"],
            "name": link["name"],
            "role": link["role"],
            "expires_in_s": link["expires_in_s"],
        })),
        Output::Text => {
            print::talk("open this in a browser; it works once, within five minutes:");
            print::data(link["url"].as_str().unwrap_or_default())
        }
    }
}
