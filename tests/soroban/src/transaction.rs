//! A transaction as it came in, and what became of it.

use anyhow::{bail, Result};
use soroban_env_host::xdr::{
    AccountId, ContractEvent, DecoratedSignature, FeeBumpTransactionInnerTx, Hash, Limits, MuxedAccount, PublicKey, SorobanTransactionData,
    Transaction, TransactionEnvelope, TransactionExt, TransactionMeta, TransactionResult, TransactionSignaturePayload,
    TransactionSignaturePayloadTaggedTransaction, WriteXdr,
};

use crate::encoding::sha256;

/// Received is an envelope and what is derived from it.
#[derive(Clone)]
pub struct Received {
    pub envelope: TransactionEnvelope,
    pub tx: Transaction,
    pub signatures: Vec<DecoratedSignature>,
    pub hash: [u8; 32],
}

impl Received {
    /// Takes plain transactions only: fee bumps are not needed here.
    pub fn new(envelope: TransactionEnvelope, network_id: [u8; 32]) -> Result<Self> {
        let v1 = match &envelope {
            TransactionEnvelope::Tx(v1) => v1,
            TransactionEnvelope::TxFeeBump(bump) => {
                let FeeBumpTransactionInnerTx::Tx(_) = &bump.tx.inner_tx;
                bail!("this node takes no fee bump transactions")
            }
            TransactionEnvelope::TxV0(_) => bail!("this node takes no transactions of version 0"),
        };
        let payload = TransactionSignaturePayload {
            network_id: Hash(network_id),
            tagged_transaction: TransactionSignaturePayloadTaggedTransaction::Tx(v1.tx.clone()),
        };
        let hash = sha256(&[&payload.to_xdr(Limits::none())?]);
        Ok(Self {
            tx: v1.tx.clone(),
            signatures: v1.signatures.to_vec(),
            hash,
            envelope,
        })
    }

    pub fn source(&self) -> AccountId {
        account(&self.tx.source_account)
    }

    pub fn soroban(&self) -> Option<&SorobanTransactionData> {
        match &self.tx.ext {
            TransactionExt::V1(data) => Some(data),
            TransactionExt::V0 => None,
        }
    }

    pub fn size(&self) -> usize {
        self.envelope.to_xdr(Limits::none()).map_or(usize::MAX, |raw| raw.len())
    }
}

pub fn account(muxed: &MuxedAccount) -> AccountId {
    let key = match muxed {
        MuxedAccount::Ed25519(key) => key.clone(),
        MuxedAccount::MuxedEd25519(m) => m.ed25519.clone(),
    };
    AccountId(PublicKey::PublicKeyTypeEd25519(key))
}

/// Applied is a transaction that is in a ledger.
pub struct Applied {
    pub received: Received,
    pub ledger: u32,
    pub closed_at: u64,
    /// From 1, in the order of application.
    pub order: u32,
    pub result: TransactionResult,
    pub meta: TransactionMeta,
    pub events: Vec<ContractEvent>,
    pub success: bool,
}
