//! getEvents: contract events of the ledgers that are still known.

use anyhow::{bail, Result};
use serde_json::{json, Value};
use soroban_env_host::xdr::{ContractEvent, ContractEventBody};

use crate::encoding::{contract_address, hex, to_base64};
use crate::ledger::Ledger;
use crate::rpc::rfc3339;

const DEFAULT_LIMIT: u64 = 100;

pub fn get(ledger: &Ledger, params: &Value) -> Result<Value> {
    let limit = params["pagination"]["limit"].as_u64().unwrap_or(DEFAULT_LIMIT) as usize;
    let after = params["pagination"]["cursor"].as_str();
    let start = params["startLedger"].as_u64().unwrap_or(0) as u32;
    if after.is_none() && (start < ledger.oldest || start > ledger.sequence) {
        bail!("startLedger must be within the ledger range: {} - {}", ledger.oldest, ledger.sequence);
    }
    let end = params["endLedger"].as_u64().map_or(u32::MAX, |e| e as u32);
    let mut found = vec![];
    let mut cursor = format!("{:019}-{:010}", (u64::from(ledger.sequence.min(end)) + 1) << 32, 0);
    'search: for applied in ledger.applied.iter().filter(|a| a.ledger >= ledger.oldest.max(start) && a.ledger < end) {
        for (index, event) in applied.events.iter().enumerate() {
            let place = u64::from(applied.ledger) << 32 | u64::from(applied.order) << 12;
            let id = format!("{place:019}-{index:010}");
            if after.is_some_and(|c| id.as_str() <= c) || !wanted(event, &params["filters"])? {
                continue;
            }
            if found.len() == limit {
                break 'search;
            }
            cursor.clone_from(&id);
            let ContractEventBody::V0(body) = &event.body;
            found.push(json!({
                "type": "contract", "ledger": applied.ledger, "ledgerClosedAt": rfc3339(applied.closed_at)?,
                "contractId": event.contract_id.as_ref().map(contract_address).unwrap_or_default(), "id": id,
                "operationIndex": 0, "transactionIndex": applied.order, "inSuccessfulContractCall": true, "txHash": hex(&applied.received.hash),
                "topic": body.topics.iter().map(to_base64).collect::<Result<Vec<_>>>()?, "value": to_base64(&body.data)?,
            }));
        }
    }
    Ok(json!({
        "events": found, "cursor": cursor, "latestLedger": ledger.sequence, "oldestLedger": ledger.oldest,
        "latestLedgerCloseTime": ledger.closed_at.to_string(), "oldestLedgerCloseTime": "0",
    }))
}

/// An event is wanted if one filter lets it pass; without filters all are.
fn wanted(event: &ContractEvent, filters: &Value) -> Result<bool> {
    let Some(filters) = filters.as_array().filter(|f| !f.is_empty()) else {
        return Ok(true);
    };
    for filter in filters {
        if of_contract(event, &filter["contractIds"]) && of_type(&filter["type"]) && with_topics(event, &filter["topics"])? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_type(kind: &Value) -> bool {
    kind.as_str().is_none_or(|k| k.is_empty() || k.split(',').any(|k| k == "contract"))
}

fn of_contract(event: &ContractEvent, ids: &Value) -> bool {
    let address = event.contract_id.as_ref().map(contract_address).unwrap_or_default();
    ids.as_array()
        .is_none_or(|ids| ids.is_empty() || ids.iter().any(|id| id.as_str() == Some(&address)))
}

/// A topic filter has a value or "*" for each topic; "**" at its end stands for any rest.
fn with_topics(event: &ContractEvent, filters: &Value) -> Result<bool> {
    let Some(filters) = filters.as_array().filter(|f| !f.is_empty()) else {
        return Ok(true);
    };
    let ContractEventBody::V0(body) = &event.body;
    let topics = body.topics.iter().map(to_base64).collect::<Result<Vec<_>>>()?;
    Ok(filters.iter().any(|filter| {
        let mut segments: Vec<&str> = filter
            .as_array()
            .map(|s| s.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let open = segments.last() == Some(&"**");
        if open {
            segments.pop();
        }
        let fits = |(segment, topic): (&&str, &String)| *segment == "*" || segment == topic;
        (topics.len() == segments.len() || open && topics.len() > segments.len()) && segments.iter().zip(&topics).all(fits)
    }))
}
