//! Methods that no network has: time, money and mischief for tests.

use anyhow::{anyhow, bail, Result};
use serde_json::{json, Value};

use crate::encoding::{account_id, from_base64, hex};
use crate::ledger::Ledger;

/// What a node can be told to do wrong; the rest a proxy in front of it does.
const MISCHIEF: &[&str] = &[
    "swallow",
    "hold",
    "try_again_later",
    "bad_seq",
    "insufficient_fee",
    "fee_surge",
    "not_found",
    "wrong_network",
];

pub fn control(ledger: &mut Ledger, method: &str, params: &Value) -> Result<Value> {
    match method {
        "node_closeLedgers" => {
            for _ in 0..params["count"].as_u64().unwrap_or(1) {
                ledger.close()?;
            }
        }
        "node_fund" => {
            let address = params["address"].as_str().unwrap_or_default();
            ledger.fund(&account_id(address)?, params["stroops"].as_i64().unwrap_or(0))?;
        }
        "node_advance" => {
            ledger.jumped += params["seconds"].as_u64().unwrap_or(0);
            ledger.sequence += params["ledgers"].as_u64().unwrap_or(0) as u32;
            ledger.close()?;
        }
        "node_expire" => ledger.expire(&from_base64(params["key"].as_str().unwrap_or_default())?)?,
        "node_forget" => ledger.oldest = ledger.sequence + 1,
        "node_misbehave" => {
            let how = params["how"].as_str().unwrap_or_default();
            if !MISCHIEF.contains(&how) {
                bail!("unknown mischief {how:?}: this node knows {MISCHIEF:?}");
            }
            ledger.mischief.left.insert(how.into(), params["count"].as_i64().unwrap_or(1));
        }
        "node_behave" => ledger.mischief.left.clear(),
        "node_transactions" => return Ok(transactions(ledger)),
        _ => return Err(anyhow!("unknown method {method}")),
    }
    Ok(json!({"latestLedger": ledger.sequence, "closedAt": ledger.closed_at}))
}

fn transactions(ledger: &Ledger) -> Value {
    let list: Vec<Value> = ledger
        .applied
        .iter()
        .map(|a| {
            let source = a.received.source().to_string();
            json!({"hash": hex(&a.received.hash), "ledger": a.ledger, "success": a.success, "source": source, "feeCharged": a.result.fee_charged})
        })
        .collect();
    json!({"transactions": list})
}
