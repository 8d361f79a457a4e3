//! What the network checks before a transaction may wait for a ledger, and again when one takes it.

use anyhow::Result;
use ed25519_dalek::{Signature, VerifyingKey};
use soroban_env_host::fees::{compute_transaction_resource_fee, TransactionResources};
use soroban_env_host::xdr::{
    AccountEntry, LedgerKey, Memo, OperationBody, Preconditions, SorobanTransactionData, SorobanTransactionDataExt, TransactionResultResult as R,
};

use crate::account;
use crate::encoding::key;
use crate::ledger::Ledger;
use crate::limits;
use crate::transaction::{account as account_of, Received};

/// The part of the resource fee that is never given back.
pub fn not_refundable(received: &Received, data: &SorobanTransactionData) -> i64 {
    let resources = &data.resources;
    let classic = |k: &&LedgerKey| !matches!(k, LedgerKey::ContractData(_) | LedgerKey::ContractCode(_));
    let footprint = || resources.footprint.read_only.iter().chain(resources.footprint.read_write.iter());
    let declared = TransactionResources {
        instructions: resources.instructions,
        disk_read_entries: (footprint().filter(classic).count() + archived(data).len()) as u32,
        write_entries: resources.footprint.read_write.len() as u32,
        disk_read_bytes: resources.disk_read_bytes,
        write_bytes: resources.write_bytes,
        contract_events_size_bytes: 0,
        transaction_size_bytes: received.size() as u32,
    };
    compute_transaction_resource_fee(&declared, &limits::fees()).0
}

/// Which entries of the read-write footprint are to be restored on the way.
pub fn archived(data: &SorobanTransactionData) -> &[u32] {
    match &data.ext {
        SorobanTransactionDataExt::V1(ext) => ext.archived_soroban_entries.as_slice(),
        SorobanTransactionDataExt::V0 => &[],
    }
}

/// The least that a ledger takes for including the transaction, beside its resources.
pub fn inclusion_fee(received: &Received) -> i64 {
    i64::from(limits::BASE_FEE) * received.tx.operations.len() as i64
}

pub fn resource_fee(received: &Received) -> i64 {
    received.soroban().map_or(0, |data| data.resource_fee)
}

impl Ledger {
    /// Why the transaction can't be in a ledger that closes at `time`; None: it can.
    pub fn check(&self, received: &Received, time: u64) -> Result<Option<R>> {
        let tx = &received.tx;
        if tx.operations.is_empty() {
            return Ok(Some(R::TxMissingOperation));
        }
        if let Some(refused) = check_soroban(received).or_else(|| check_time(&tx.cond, time)) {
            return Ok(Some(refused));
        }
        if i64::from(tx.fee) < resource_fee(received) + inclusion_fee(received) {
            return Ok(Some(R::TxInsufficientFee));
        }
        let Some(source) = account::read(&self.state, &received.source())? else {
            return Ok(Some(R::TxNoAccount));
        };
        if tx.seq_num.0 != source.seq_num.0 + 1 {
            return Ok(Some(R::TxBadSeq));
        }
        Ok(check_signatures(received).or_else(|| check_balance(&source, tx.fee)))
    }
}

fn check_soroban(received: &Received) -> Option<R> {
    let is_soroban = |body: &OperationBody| {
        matches!(
            body,
            OperationBody::InvokeHostFunction(_) | OperationBody::ExtendFootprintTtl(_) | OperationBody::RestoreFootprint(_)
        )
    };
    if !received.tx.operations.iter().any(|op| is_soroban(&op.body)) {
        return received.soroban().map(|_| R::TxMalformed);
    }
    let Some(data) = received.soroban() else {
        return Some(R::TxMalformed);
    };
    let (resources, footprint) = (&data.resources, &data.resources.footprint);
    let sound = received.tx.operations.len() == 1
        && received.tx.memo == Memo::None
        && received.size() <= limits::MAX_SIZE
        && resources.instructions <= limits::MAX_INSTRUCTIONS
        && resources.disk_read_bytes <= limits::MAX_DISK_READ_BYTES
        && resources.write_bytes <= limits::MAX_WRITE_BYTES
        && footprint.read_only.len() + footprint.read_write.len() <= limits::MAX_FOOTPRINT
        && footprint.read_write.len() <= limits::MAX_WRITE_ENTRIES
        && archived(data).iter().all(|i| (*i as usize) < footprint.read_write.len())
        && data.resource_fee >= not_refundable(received, data)
        && data.resource_fee <= i64::from(received.tx.fee);
    (!sound).then_some(R::TxSorobanInvalid)
}

fn check_time(cond: &Preconditions, time: u64) -> Option<R> {
    let bounds = match cond {
        Preconditions::None => None,
        Preconditions::Time(bounds) => Some(bounds),
        Preconditions::V2(v2) => v2.time_bounds.as_ref(),
    }?;
    if bounds.min_time.0 > time {
        return Some(R::TxTooEarly);
    }
    (bounds.max_time.0 != 0 && bounds.max_time.0 < time).then_some(R::TxTooLate)
}

/// Each account that acts has signed, and nobody else has. Accounts have their master key only.
fn check_signatures(received: &Received) -> Option<R> {
    let mut signers = vec![key(&received.source())];
    signers.extend(
        received
            .tx
            .operations
            .iter()
            .filter_map(|op| op.source_account.as_ref())
            .map(|a| key(&account_of(a))),
    );
    signers.dedup();
    let mut used = vec![false; received.signatures.len()];
    for signer in signers {
        let by = received.signatures.iter().position(|s| s.signature_is_by(&signer, &received.hash));
        match by {
            Some(i) => used[i] = true,
            None => return Some(R::TxBadAuth),
        }
    }
    used.contains(&false).then_some(R::TxBadAuthExtra)
}

trait SignedBy {
    fn signature_is_by(&self, key: &[u8; 32], hash: &[u8; 32]) -> bool;
}

impl SignedBy for soroban_env_host::xdr::DecoratedSignature {
    fn signature_is_by(&self, key: &[u8; 32], hash: &[u8; 32]) -> bool {
        let (Ok(verifier), Ok(signature)) = (VerifyingKey::from_bytes(key), Signature::from_slice(self.signature.as_slice())) else {
            return false;
        };
        self.hint.0 == key[28..] && verifier.verify_strict(hash, &signature).is_ok()
    }
}

fn check_balance(source: &AccountEntry, fee: u32) -> Option<R> {
    let reserve = 2 * i64::from(limits::BASE_RESERVE);
    (source.balance - reserve < i64::from(fee)).then_some(R::TxInsufficientBalance)
}
