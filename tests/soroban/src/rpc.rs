//! JSON-RPC 2.0: which method does what, and the methods that only look things up.

use anyhow::{bail, Result};
use serde_json::{json, Value};
use soroban_env_host::xdr::{LedgerKey, TransactionEnvelope, TransactionResult, TransactionResultExt, TransactionResultResult as R};
use time::format_description::well_known::Rfc3339;
use time::OffsetDateTime;

use crate::check::{inclusion_fee, resource_fee};
use crate::control::control;
use crate::encoding::{from_base64, from_hex, hex, sha256, to_base64};
use crate::events;
use crate::ledger::Ledger;
use crate::limits;
use crate::simulate::simulate;
use crate::transaction::{Applied, Received};

const MAX_KEYS: usize = 200;

pub fn answer(ledger: &mut Ledger, body: &str) -> Value {
    let Ok(request) = serde_json::from_str::<Value>(body) else {
        return refusal("the body is no JSON");
    };
    let method = request["method"].as_str().unwrap_or_default();
    match call(ledger, method, &request["params"]) {
        Ok(result) => json!({"jsonrpc": "2.0", "id": request["id"], "result": result}),
        Err(e) => json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32602, "message": format!("{e:#}")}}),
    }
}

pub fn refusal(why: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": why}})
}

fn call(ledger: &mut Ledger, method: &str, params: &Value) -> Result<Value> {
    match method {
        "getHealth" => Ok(json!({
            "status": "healthy", "latestLedger": ledger.sequence, "oldestLedger": ledger.oldest, "ledgerRetentionWindow": limits::RETENTION,
            "latestLedgerCloseTime": ledger.closed_at.to_string(), "oldestLedgerCloseTime": "0",
        })),
        "getNetwork" => {
            let other = ledger.mischief.take("wrong_network");
            let passphrase = if other { "Another Network" } else { &ledger.passphrase };
            Ok(json!({"passphrase": passphrase, "protocolVersion": limits::PROTOCOL}))
        }
        "getVersionInfo" => Ok(json!({
            "version": "test node", "commitHash": "", "buildTimestamp": "", "captiveCoreVersion": "", "protocolVersion": limits::PROTOCOL,
        })),
        "getLatestLedger" => Ok(json!({
            "id": hex(&sha256(&[&ledger.sequence.to_be_bytes()])), "protocolVersion": limits::PROTOCOL, "sequence": ledger.sequence,
            "closeTime": ledger.closed_at.to_string(), "headerXdr": "", "metadataXdr": "",
        })),
        "getFeeStats" => Ok(fee_stats(ledger)),
        "getLedgerEntries" => entries(ledger, params),
        "simulateTransaction" => simulate(ledger, params),
        "sendTransaction" => send(ledger, params),
        "getTransaction" => transaction(ledger, params),
        "getEvents" => events::get(ledger, params),
        _ => control(ledger, method, params),
    }
}

fn fee_stats(ledger: &Ledger) -> Value {
    let fee = limits::BASE_FEE.to_string();
    let mut all = json!({"transactionCount": "0", "ledgerCount": 50});
    for name in [
        "max", "min", "mode", "p10", "p20", "p30", "p40", "p50", "p60", "p70", "p80", "p90", "p95", "p99",
    ] {
        all[name] = json!(fee);
    }
    json!({"sorobanInclusionFee": all, "inclusionFee": all, "latestLedger": ledger.sequence})
}

fn entries(ledger: &Ledger, params: &Value) -> Result<Value> {
    let keys = params["keys"].as_array().cloned().unwrap_or_default();
    if keys.len() > MAX_KEYS {
        bail!("key count ({}) exceeds maximum supported ({MAX_KEYS})", keys.len());
    }
    let mut found = vec![];
    for text in keys {
        let key: LedgerKey = from_base64(text.as_str().unwrap_or_default())?;
        let Some(stored) = ledger.state.get(&key)? else {
            continue;
        };
        let mut entry = json!({
            "key": text, "xdr": to_base64(&stored.entry.data)?, "lastModifiedLedgerSeq": stored.entry.last_modified_ledger_seq,
            "extXdr": to_base64(&stored.entry.ext)?,
        });
        // What is in the archive is told, with 0 in place of its lifetime.
        if let Some(until) = stored.live_until {
            entry["liveUntilLedgerSeq"] = json!(if ledger.archived(stored) { 0 } else { until });
        }
        found.push(entry);
    }
    Ok(json!({"entries": found, "latestLedger": ledger.sequence}))
}

fn send(ledger: &mut Ledger, params: &Value) -> Result<Value> {
    let envelope: TransactionEnvelope = from_base64(params["transaction"].as_str().unwrap_or_default())?;
    let received = Received::new(envelope, ledger.network_id)?;
    let mut answer = json!({
        "hash": hex(&received.hash), "latestLedger": ledger.sequence, "latestLedgerCloseTime": ledger.closed_at.to_string(),
    });
    let refused = if ledger.mischief.take("bad_seq") {
        Some(R::TxBadSeq)
    } else if ledger.mischief.take("insufficient_fee") {
        Some(R::TxInsufficientFee)
    } else {
        None
    };
    let known = |r: &Received| r.hash == received.hash;
    let same_source = |r: &Received| r.source() == received.source();
    if let Some(result) = refused {
        error(&mut answer, &received, result)?;
    } else if ledger.mischief.take("try_again_later") {
        answer["status"] = json!("TRY_AGAIN_LATER");
    } else if ledger.pending.iter().any(known) {
        answer["status"] = json!("DUPLICATE");
    } else if let Some(result) = ledger.check(&received, ledger.closed_at)? {
        error(&mut answer, &received, result)?;
    } else if ledger.pending.iter().any(same_source) {
        answer["status"] = json!("TRY_AGAIN_LATER");
    } else {
        answer["status"] = json!("PENDING");
        if !ledger.mischief.take("swallow") {
            ledger.pending.push(received);
        }
    }
    Ok(answer)
}

fn error(answer: &mut Value, received: &Received, result: R) -> Result<()> {
    let fee_charged = inclusion_fee(received) + resource_fee(received);
    answer["status"] = json!("ERROR");
    answer["errorResultXdr"] = json!(to_base64(&TransactionResult {
        fee_charged,
        result,
        ext: TransactionResultExt::V0
    })?);
    Ok(())
}

fn transaction(ledger: &mut Ledger, params: &Value) -> Result<Value> {
    let hash = from_hex(params["hash"].as_str().unwrap_or_default())?;
    let mut answer = json!({
        "status": "NOT_FOUND", "txHash": hex(&hash), "latestLedger": ledger.sequence, "latestLedgerCloseTime": ledger.closed_at.to_string(),
        "oldestLedger": ledger.oldest, "oldestLedgerCloseTime": "0", "createdAt": "0", "applicationOrder": 0, "feeBump": false, "ledger": 0,
    });
    if ledger.mischief.take("not_found") {
        return Ok(answer);
    }
    if let Some(applied) = ledger.transaction(&hash) {
        describe(&mut answer, applied)?;
    }
    Ok(answer)
}

fn describe(answer: &mut Value, applied: &Applied) -> Result<()> {
    answer["status"] = json!(if applied.success { "SUCCESS" } else { "FAILED" });
    answer["ledger"] = json!(applied.ledger);
    answer["createdAt"] = json!(applied.closed_at.to_string());
    answer["applicationOrder"] = json!(applied.order);
    answer["envelopeXdr"] = json!(to_base64(&applied.received.envelope)?);
    answer["resultXdr"] = json!(to_base64(&applied.result)?);
    answer["resultMetaXdr"] = json!(to_base64(&applied.meta)?);
    let events = applied.events.iter().map(to_base64).collect::<Result<Vec<_>>>()?;
    answer["events"] = json!({"contractEventsXdr": [events]});
    Ok(())
}

/// A time as the RPC writes it.
pub fn rfc3339(unix: u64) -> Result<String> {
    Ok(OffsetDateTime::from_unix_timestamp(unix.try_into()?)?.format(&Rfc3339)?)
}
