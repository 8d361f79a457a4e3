//! simulateTransaction: what a transaction would do to the newest ledger, and what it has to declare.

use std::rc::Rc;

use anyhow::{anyhow, bail, Result};
use rand::RngCore;
use serde_json::{json, Value};
use soroban_env_host::e2e_invoke::RecordingInvocationAuthMode;
use soroban_env_host::xdr::{AccountId, InvokeHostFunctionOp, LedgerKey, OperationBody, SorobanTransactionData, TransactionEnvelope};
use soroban_simulation::simulation::{simulate_extend_ttl_op, simulate_invoke_host_function_op, simulate_restore_op, SimulationAdjustmentConfig};

use crate::encoding::{from_base64, to_base64};
use crate::ledger::Ledger;
use crate::limits;
use crate::transaction::{account, Received};

/// What node_misbehave "fee_surge" multiplies fees with.
const SURGE: i64 = 100;

pub fn simulate(ledger: &mut Ledger, params: &Value) -> Result<Value> {
    let envelope: TransactionEnvelope = from_base64(params["transaction"].as_str().unwrap_or_default())?;
    let received = Received::new(envelope, ledger.network_id)?;
    let surge = if ledger.mischief.take("fee_surge") { SURGE } else { 1 };
    match run(ledger, &received, params["authMode"].as_str().unwrap_or_default(), surge) {
        Ok(answer) => Ok(answer),
        Err(e) => Ok(json!({"error": e.to_string(), "latestLedger": ledger.sequence})),
    }
}

fn run(ledger: &Ledger, received: &Received, auth_mode: &str, surge: i64) -> Result<Value> {
    let [op] = received.tx.operations.as_slice() else {
        bail!("Transaction contains more than one operation");
    };
    let source = op.source_account.as_ref().map_or_else(|| received.source(), account);
    let network = limits::network();
    // The next ledger is the first that can have it.
    let info = ledger.info(ledger.sequence + 1, ledger.closed_at + 5);
    let adjust = SimulationAdjustmentConfig::default_adjustment();
    let footprint = || {
        received
            .soroban()
            .map(|d| d.resources.footprint.clone())
            .ok_or_else(|| anyhow!("the footprint is missing"))
    };
    match &op.body {
        OperationBody::InvokeHostFunction(invoke) => simulate_invoke(ledger, &source, invoke, auth_mode, surge),
        OperationBody::ExtendFootprintTtl(extend) => {
            let keys: Vec<LedgerKey> = footprint()?.read_only.to_vec();
            let result = simulate_extend_ttl_op(&ledger.state, &network, &adjust, &info, &keys, extend.extend_to)?;
            data_only(ledger, result.transaction_data, surge)
        }
        OperationBody::RestoreFootprint(_) => {
            let keys: Vec<LedgerKey> = footprint()?.read_write.to_vec();
            let result = simulate_restore_op(&ledger.state, &network, &adjust, &info, &keys)?;
            data_only(ledger, result.transaction_data, surge)
        }
        _ => bail!("Transaction contains unsupported operation type"),
    }
}

fn data_only(ledger: &Ledger, mut data: SorobanTransactionData, surge: i64) -> Result<Value> {
    data.resource_fee *= surge;
    Ok(json!({
        "transactionData": to_base64(&data)?, "minResourceFee": data.resource_fee.to_string(), "latestLedger": ledger.sequence,
    }))
}

fn simulate_invoke(ledger: &Ledger, source: &AccountId, op: &InvokeHostFunctionOp, auth_mode: &str, surge: i64) -> Result<Value> {
    let auth = match auth_mode {
        "" if !op.auth.is_empty() => RecordingInvocationAuthMode::Enforcing(op.auth.to_vec()),
        "enforce" => RecordingInvocationAuthMode::Enforcing(op.auth.to_vec()),
        "" | "record" => RecordingInvocationAuthMode::recording(true, false),
        "record_allow_nonroot" => RecordingInvocationAuthMode::recording(false, false),
        other => bail!("unknown authMode {other:?}"),
    };
    // Nonces come from it: they must not repeat.
    let mut seed = [0u8; 32];
    rand::thread_rng().fill_bytes(&mut seed);
    let result = simulate_invoke_host_function_op(
        Rc::new(ledger.state.clone()),
        &limits::network(),
        &SimulationAdjustmentConfig::default_adjustment(),
        &ledger.info(ledger.sequence + 1, ledger.closed_at + 5),
        op.host_function.clone(),
        auth,
        source,
        seed,
        true,
    )?;
    let events = result.diagnostic_events.iter().map(to_base64).collect::<Result<Vec<_>>>()?;
    let value = match result.invoke_result {
        Ok(value) => value,
        Err(e) => {
            let text = e.to_string();
            return Ok(json!({"error": text, "events": events, "latestLedger": ledger.sequence}));
        }
    };
    let mut answer = data_only(
        ledger,
        result.transaction_data.ok_or_else(|| anyhow!("no resources were simulated"))?,
        surge,
    )?;
    let auth = result.auth.iter().map(to_base64).collect::<Result<Vec<_>>>()?;
    answer["results"] = json!([{"auth": auth, "xdr": to_base64(&value)?}]);
    answer["events"] = json!(events);
    Ok(answer)
}
