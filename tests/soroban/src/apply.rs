//! Applying a transaction to the ledger that is being made.

use anyhow::Result;
use soroban_env_host::xdr::{
    ContractEvent, CreateAccountResult, ExtendFootprintTtlResult, ExtensionPoint, InvokeHostFunctionResult as I, InvokeHostFunctionSuccessPreImage,
    Operation, OperationBody, OperationMetaV2, OperationResult, OperationResultTr, PaymentResult, RestoreFootprintResult, ScVal,
    SorobanTransactionMetaExt, SorobanTransactionMetaExtV1, SorobanTransactionMetaV2, TransactionMeta, TransactionMetaV4, TransactionResult,
    TransactionResultExt, TransactionResultResult as R,
};

use crate::account;
use crate::check::{inclusion_fee, not_refundable, resource_fee};
use crate::encoding::{bytes, sha256};
use crate::ledger::Ledger;
use crate::transaction::{account as account_of, Applied, Received};

/// What an operation did. Nothing of it is kept when it failed.
pub struct Done {
    pub result: OperationResult,
    pub success: bool,
    pub value: Option<ScVal>,
    pub events: Vec<ContractEvent>,
    /// Of the resource fee: what rent and events cost.
    pub rent: i64,
    pub refundable: i64,
}

impl Done {
    pub fn new(result: OperationResultTr, success: bool) -> Self {
        Self {
            result: OperationResult::OpInner(result),
            success,
            value: None,
            events: vec![],
            rent: 0,
            refundable: 0,
        }
    }

    pub fn invoke(result: I) -> Self {
        Self::new(OperationResultTr::InvokeHostFunction(result), false)
    }
}

impl Ledger {
    /// Applies a transaction; None if it is not valid any more, so that no ledger has it.
    pub fn apply(&mut self, received: Received, order: u32) -> Result<Option<Applied>> {
        if self.check(&received, self.closed_at)?.is_some() {
            return Ok(None);
        }
        let fee = inclusion_fee(&received) + resource_fee(&received);
        let mut source = account::read(&self.state, &received.source())?.expect("it was checked");
        source.balance -= fee;
        source.seq_num = received.tx.seq_num.clone();
        account::write(&mut self.state, source, self.sequence)?;

        let before = self.state.clone();
        let mut done = vec![];
        for op in received.tx.operations.iter() {
            done.push(self.operation(&received, op)?);
        }
        let success = done.iter().all(|d| d.success);
        if !success {
            self.state = before;
        }
        let refund = self.refund(&received, &done, success)?;
        Ok(Some(self.applied(received, order, done, success, fee - refund)?))
    }

    /// Gives back what rent and events did not use.
    fn refund(&mut self, received: &Received, done: &[Done], success: bool) -> Result<i64> {
        let Some(data) = received.soroban() else {
            return Ok(0);
        };
        let used = if success { done.iter().map(|d| d.refundable).sum() } else { 0 };
        let refund = data.resource_fee - not_refundable(received, data) - used;
        account::fund(&mut self.state, &received.source(), refund, self.sequence)?;
        Ok(refund)
    }

    fn operation(&mut self, received: &Received, op: &Operation) -> Result<Done> {
        let source = op.source_account.as_ref().map_or_else(|| received.source(), account_of);
        match &op.body {
            OperationBody::InvokeHostFunction(invoke) => self.invoke(received, &source, invoke),
            OperationBody::ExtendFootprintTtl(extend) => self.extend(received, extend.extend_to),
            OperationBody::RestoreFootprint(_) => self.restore(received),
            OperationBody::CreateAccount(create) => {
                let result = if account::read(&self.state, &create.destination)?.is_some() {
                    CreateAccountResult::AlreadyExist
                } else if self.pay(&source, &create.destination, create.starting_balance)? {
                    CreateAccountResult::Success
                } else {
                    CreateAccountResult::Underfunded
                };
                let success = result == CreateAccountResult::Success;
                Ok(Done::new(OperationResultTr::CreateAccount(result), success))
            }
            OperationBody::Payment(payment) => {
                let to = account_of(&payment.destination);
                let result = if account::read(&self.state, &to)?.is_none() {
                    PaymentResult::NoDestination
                } else if self.pay(&source, &to, payment.amount)? {
                    PaymentResult::Success
                } else {
                    PaymentResult::Underfunded
                };
                let success = result == PaymentResult::Success;
                Ok(Done::new(OperationResultTr::Payment(result), success))
            }
            _ => Ok(Done {
                result: OperationResult::OpNotSupported,
                ..Done::invoke(I::Malformed)
            }),
        }
    }

    fn pay(&mut self, from: &soroban_env_host::xdr::AccountId, to: &soroban_env_host::xdr::AccountId, stroops: i64) -> Result<bool> {
        match account::read(&self.state, from)? {
            Some(payer) if stroops > 0 && payer.balance >= stroops => {
                account::fund(&mut self.state, from, -stroops, self.sequence)?;
                account::fund(&mut self.state, to, stroops, self.sequence)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn applied(&self, received: Received, order: u32, done: Vec<Done>, success: bool, fee_charged: i64) -> Result<Applied> {
        let events: Vec<ContractEvent> = if success {
            done.iter().flat_map(|d| d.events.clone()).collect()
        } else {
            vec![]
        };
        let meta = meta(&received, &done, &events, fee_charged)?;
        let results = done.into_iter().map(|d| d.result).collect::<Vec<_>>().try_into()?;
        let result = TransactionResult {
            fee_charged,
            result: if success { R::TxSuccess(results) } else { R::TxFailed(results) },
            ext: TransactionResultExt::V0,
        };
        Ok(Applied {
            received,
            ledger: self.sequence,
            closed_at: self.closed_at,
            order,
            result,
            meta,
            events,
            success,
        })
    }
}

/// Only what clients read is in it: events, the returned value and the fees. Changes of entries are left out.
fn meta(received: &Received, done: &[Done], events: &[ContractEvent], fee_charged: i64) -> Result<TransactionMeta> {
    let soroban_meta = received.soroban().map(|data| {
        let rent: i64 = done.iter().map(|d| d.rent).sum();
        let fixed = not_refundable(received, data);
        SorobanTransactionMetaV2 {
            ext: SorobanTransactionMetaExt::V1(SorobanTransactionMetaExtV1 {
                ext: ExtensionPoint::V0,
                total_non_refundable_resource_fee_charged: fixed,
                total_refundable_resource_fee_charged: fee_charged - fixed - inclusion_fee(received),
                rent_fee_charged: rent,
            }),
            return_value: done.first().and_then(|d| d.value.clone()),
        }
    });
    Ok(TransactionMeta::V4(TransactionMetaV4 {
        ext: ExtensionPoint::V0,
        tx_changes_before: Default::default(),
        operations: vec![OperationMetaV2 {
            ext: ExtensionPoint::V0,
            changes: Default::default(),
            events: events.to_vec().try_into()?,
        }]
        .try_into()?,
        tx_changes_after: Default::default(),
        soroban_meta,
        events: Default::default(),
        diagnostic_events: Default::default(),
    }))
}

/// What a successful invocation has in its result: a digest of the value and the events.
pub fn success_hash(value: &ScVal, events: &[ContractEvent]) -> Result<[u8; 32]> {
    let image = InvokeHostFunctionSuccessPreImage {
        return_value: value.clone(),
        events: events.to_vec().try_into()?,
    };
    Ok(sha256(&[&bytes(&image)?]))
}

pub fn extended(result: ExtendFootprintTtlResult) -> OperationResultTr {
    OperationResultTr::ExtendFootprintTtl(result)
}

pub fn restored(result: RestoreFootprintResult) -> OperationResultTr {
    OperationResultTr::RestoreFootprint(result)
}
