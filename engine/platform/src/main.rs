//! The rehearsal platform's process: read the configuration, listen, say where, serve until told to stop.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread;

use golive_platform::admin::Admin;
use golive_platform::arguments::Arguments;
use golive_platform::clock::Clock;
use golive_platform::config::{self, Config, ConfigError};
use golive_platform::control::{self, Desk, Order};
use golive_platform::routing::RouteTable;
use golive_platform::server::{Credentials, Server};
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

const BACKLOG: i32 = 4096;

/// Why it ended: whoever started it tells his own mistake from the machine's by the exit code.
enum Ended {
    Unusable(String),
    Failed(String),
}

impl From<String> for Ended {
    fn from(problem: String) -> Self {
        Self::Failed(problem)
    }
}

fn main() -> ExitCode {
    let (problem, code) = match run() {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Ended::Unusable(problem)) => (problem, 2),
        Err(Ended::Failed(problem)) => (problem, 1),
    };
    eprintln!("golive-rehearsal: {problem}");
    ExitCode::from(code)
}

fn run() -> Result<(), Ended> {
    let arguments = Arguments::read(std::env::args().skip(1)).map_err(|error| Ended::Unusable(error.to_string()))?;
    let (config, credentials) = load(&arguments.config).map_err(Ended::Unusable)?;
    let clock = Clock::start();
    let (service, admin) = (listen(&arguments.listen)?, listen(&arguments.admin)?);
    raise_file_limit();
    let (desk, inbox) = control::line().map_err(|error| error.to_string())?;
    stop_on_signals(desk.clone()).map_err(|error| error.to_string())?;
    if arguments.dies_with_stdin {
        stop_with_stdin(desk.clone());
    }
    announce(&service, &admin).map_err(|error| error.to_string())?;
    let answering = Admin { desk, clock, routes: RouteTable::new(&config), namespace: config.namespace.clone() };
    thread::spawn(move || answering.serve(&admin));
    let server = Server::new(&config, credentials, service, inbox, clock);
    server.and_then(Server::run).map_err(|error| Ended::Failed(format!("the server cannot go on: {error}")))
}

fn load(path: &str) -> Result<(Config, Credentials), String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}. Remedy: name a readable file"))?;
    let config = config::read(&text).map_err(|error| format!("{path}: {error}"))?;
    let credentials = credentials(&config).map_err(|error| format!("{path}: {error}"))?;
    Ok((config, credentials))
}

fn credentials(config: &Config) -> Result<Credentials, ConfigError> {
    let Some(login) = &config.login else {
        return Ok(Credentials::default());
    };
    let password = secret("login.password_env", login.password_env.as_ref())?;
    let token_secret = secret("login.token_secret_env", login.token_secret_env.as_ref())?;
    Ok(Credentials { username: login.username.clone(), password, token_secret, token_lasts_s: login.token_lasts_s })
}

fn secret(field: &str, variable: Option<&String>) -> Result<Option<String>, ConfigError> {
    let missing =
        |name: &String| ConfigError::new(field, format!("{name} is not set"), "set this environment variable");
    variable.map(|name| std::env::var(name).map_err(|_| missing(name))).transpose()
}

fn listen(address: &str) -> Result<TcpListener, String> {
    let cannot = |error: std::io::Error| {
        format!("cannot listen on {address}: {error}. Remedy: choose a free port, or 127.0.0.1:0")
    };
    let listener = TcpListener::bind(address).map_err(cannot)?;
    // The standard library lets 128 wait; a frozen platform has many more before its door.
    rustix::net::listen(&listener, BACKLOG).map_err(|error| cannot(error.into()))?;
    Ok(listener)
}

/// As many connections as this process may ever have; failing that, as many as it has.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

fn announce(service: &TcpListener, admin: &TcpListener) -> std::io::Result<()> {
    let (listen, admin) = (service.local_addr()?.to_string(), admin.local_addr()?.to_string());
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", serde_json::json!({ "listen": listen, "admin": admin }))?;
    stdout.flush()
}

fn stop_on_signals(desk: Desk) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = desk.ask(Order::Drain);
        }
    });
    Ok(())
}

fn stop_with_stdin(desk: Desk) {
    thread::spawn(move || {
        let mut ignored = [0; 1024];
        while std::io::stdin().read(&mut ignored).is_ok_and(|read| read > 0) {}
        let _ = desk.ask(Order::Stop);
    });
}
