//! Stellar's JSON-RPC over the real Soroban host, for tests (README.md). One thread owns the ledger:
//! it answers requests in turn and closes ledgers on time.

mod account;
mod apply;
mod check;
mod control;
mod costs;
mod encoding;
mod events;
mod host;
mod ledger;
mod limits;
mod rpc;
mod simulate;
mod transaction;

use std::io::Read;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};

const USAGE: &str = "usage: soroban-node [--listen HOST:PORT] [--passphrase TEXT] [--close-every MILLISECONDS|never] \
                     [--account G...:STROOPS]...";

/// What the command line says.
struct Options {
    listen: String,
    passphrase: String,
    close_every: Option<Duration>,
    accounts: Vec<(String, i64)>,
}

fn options() -> Result<Options> {
    let mut o = Options {
        listen: "127.0.0.1:0".into(),
        passphrase: "Verbatim Test Network ; November 2026".into(),
        close_every: Some(Duration::from_secs(1)),
        accounts: vec![],
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().with_context(|| format!("{name} needs a value; {USAGE}"))?;
        match name.as_str() {
            "--listen" => o.listen = value,
            "--passphrase" => o.passphrase = value,
            "--close-every" if value == "never" => o.close_every = None,
            "--close-every" => o.close_every = Some(Duration::from_millis(value.parse().context(USAGE)?)),
            "--account" => {
                let (address, stroops) = value.split_once(':').context(USAGE)?;
                o.accounts.push((address.into(), stroops.parse().context(USAGE)?));
            }
            _ => bail!("unknown option {name}; {USAGE}"),
        }
    }
    Ok(o)
}

/// The process ends with whoever started it: its standard input closes then.
fn end_with_parent() {
    std::thread::spawn(|| {
        let mut rest = vec![];
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
}

fn main() -> Result<()> {
    let options = options()?;
    let mut ledger = ledger::Ledger::new(&options.passphrase)?;
    for (address, stroops) in &options.accounts {
        ledger.fund(&encoding::account_id(address)?, *stroops)?;
    }
    let server = tiny_http::Server::http(&options.listen).map_err(|e| anyhow::anyhow!("listen on {}: {e}", options.listen))?;
    println!("{}", serde_json::json!({"url": format!("http://{}", server.server_addr())}));
    end_with_parent();
    serve(&server, &mut ledger, options.close_every)
}

fn serve(server: &tiny_http::Server, ledger: &mut ledger::Ledger, close_every: Option<Duration>) -> Result<()> {
    let mut closed = Instant::now();
    loop {
        let wait = close_every.map_or(Duration::from_secs(3600), |every| every.saturating_sub(closed.elapsed()));
        if let Some(mut request) = server.recv_timeout(wait)? {
            let mut body = String::new();
            let answer = match request.as_reader().read_to_string(&mut body) {
                Ok(_) => rpc::answer(ledger, &body),
                Err(e) => rpc::refusal(&e.to_string()),
            };
            let kind = "Content-Type: application/json".parse::<tiny_http::Header>().expect("a header");
            // A client that is gone needs no answer.
            let _ = request.respond(tiny_http::Response::from_string(answer.to_string()).with_header(kind));
        }
        if close_every.is_some_and(|every| closed.elapsed() >= every) {
            ledger.close()?;
            closed = Instant::now();
        }
    }
}
