//! Accounts: balances and sequence numbers.

use anyhow::{anyhow, Result};
use soroban_env_host::xdr::{
    AccountEntry, AccountEntryExt, AccountId, LedgerEntry, LedgerEntryData, LedgerEntryExt, LedgerKey, LedgerKeyAccount, SequenceNumber, Thresholds,
};

use crate::ledger::State;

pub fn key(id: &AccountId) -> LedgerKey {
    LedgerKey::Account(LedgerKeyAccount { account_id: id.clone() })
}

pub fn read(state: &State, id: &AccountId) -> Result<Option<AccountEntry>> {
    Ok(state.get(&key(id))?.and_then(|e| match &e.entry.data {
        LedgerEntryData::Account(account) => Some(account.clone()),
        _ => None,
    }))
}

pub fn write(state: &mut State, account: AccountEntry, ledger: u32) -> Result<()> {
    let key = key(&account.account_id);
    let entry = LedgerEntry {
        last_modified_ledger_seq: ledger,
        data: LedgerEntryData::Account(account),
        ext: LedgerEntryExt::V0,
    };
    state.put(&key, entry, None)
}

/// Adds to an account's balance; the account is made if it isn't there.
pub fn fund(state: &mut State, id: &AccountId, stroops: i64, ledger: u32) -> Result<()> {
    let mut account = read(state, id)?.unwrap_or_else(|| AccountEntry {
        account_id: id.clone(),
        balance: 0,
        seq_num: SequenceNumber(i64::from(ledger) << 32),
        num_sub_entries: 0,
        inflation_dest: None,
        flags: 0,
        home_domain: Default::default(),
        thresholds: Thresholds([1, 0, 0, 0]),
        signers: Default::default(),
        ext: AccountEntryExt::V0,
    });
    account.balance = account.balance.checked_add(stroops).ok_or_else(|| anyhow!("the balance overflows"))?;
    write(state, account, ledger)
}
