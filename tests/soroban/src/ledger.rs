//! The ledger: entries with their lifetimes, closes, and what happened in them.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{anyhow, Result};
use soroban_env_host::ledger_info::get_key_durability;
use soroban_env_host::storage::{EntryWithLiveUntil, SnapshotSource};
use soroban_env_host::xdr::{AccountId, LedgerEntry, LedgerKey};
use soroban_env_host::{HostError, LedgerInfo};

use crate::account;
use crate::encoding::{bytes, sha256};
use crate::limits;
use crate::transaction::{Applied, Received};

/// Entry is a ledger entry; live_until is the last ledger in which it is live, for those that expire.
#[derive(Clone)]
pub struct Entry {
    pub entry: Rc<LedgerEntry>,
    pub live_until: Option<u32>,
}

/// State is all entries, by the XDR of their keys. A clone is a snapshot.
#[derive(Clone, Default)]
pub struct State(pub BTreeMap<Vec<u8>, Entry>);

impl State {
    pub fn get(&self, key: &LedgerKey) -> Result<Option<&Entry>> {
        Ok(self.0.get(&bytes(key)?))
    }

    pub fn put(&mut self, key: &LedgerKey, entry: LedgerEntry, live_until: Option<u32>) -> Result<()> {
        self.0.insert(
            bytes(key)?,
            Entry {
                entry: Rc::new(entry),
                live_until,
            },
        );
        Ok(())
    }
}

impl SnapshotSource for State {
    fn get(&self, key: &Rc<LedgerKey>) -> Result<Option<EntryWithLiveUntil>, HostError> {
        // A key that was decoded can be encoded.
        Ok(State::get(self, key).expect("encode key").map(|e| (e.entry.clone(), e.live_until)))
    }
}

/// Mischief is what a node was told to do wrong with the next transactions sent to it.
#[derive(Default)]
pub struct Mischief {
    /// By name: how often still; -1 for ever.
    pub left: BTreeMap<String, i64>,
}

impl Mischief {
    /// Is true if it is to be done now.
    pub fn take(&mut self, name: &str) -> bool {
        match self.left.get_mut(name) {
            Some(n) if *n != 0 => {
                *n -= i64::from(*n > 0);
                true
            }
            _ => false,
        }
    }
}

pub struct Ledger {
    pub passphrase: String,
    pub network_id: [u8; 32],
    pub state: State,
    /// The newest closed ledger and its close time, Unix seconds.
    pub sequence: u32,
    pub closed_at: u64,
    /// What node_advance added to the clock.
    pub jumped: u64,
    pub pending: Vec<Received>,
    pub applied: Vec<Applied>,
    /// RPC answers nothing about ledgers before this one.
    pub oldest: u32,
    pub mischief: Mischief,
}

impl Ledger {
    pub fn new(passphrase: &str) -> Result<Self> {
        Ok(Self {
            passphrase: passphrase.into(),
            network_id: sha256(&[passphrase.as_bytes()]),
            state: State::default(),
            sequence: 2,
            closed_at: now()?,
            jumped: 0,
            pending: vec![],
            applied: vec![],
            oldest: 2,
            mischief: Mischief::default(),
        })
    }

    /// What the host sees while the next ledger is made, or the newest closed one.
    pub fn info(&self, sequence: u32, timestamp: u64) -> LedgerInfo {
        let mut info = LedgerInfo {
            protocol_version: limits::PROTOCOL,
            sequence_number: sequence,
            timestamp,
            network_id: self.network_id,
            base_reserve: limits::BASE_RESERVE,
            ..Default::default()
        };
        limits::network().fill_config_fields_in_ledger_info(&mut info);
        info
    }

    /// Makes the next ledger from what is pending, in the order in which it came.
    pub fn close(&mut self) -> Result<()> {
        self.sequence += 1;
        self.closed_at = (now()? + self.jumped).max(self.closed_at + 1);
        self.oldest = self.oldest.max(self.sequence.saturating_sub(limits::RETENTION));
        if self.mischief.left.get("hold").is_some_and(|n| *n != 0) {
            return Ok(());
        }
        for (order, received) in (1..).zip(std::mem::take(&mut self.pending)) {
            if let Some(applied) = self.apply(received, order)? {
                self.applied.push(applied);
            }
        }
        Ok(())
    }

    pub fn fund(&mut self, id: &AccountId, stroops: i64) -> Result<()> {
        account::fund(&mut self.state, id, stroops, self.sequence)
    }

    /// A transaction that RPC still knows of.
    pub fn transaction(&self, hash: &[u8; 32]) -> Option<&Applied> {
        self.applied.iter().find(|a| a.received.hash == *hash && a.ledger >= self.oldest)
    }

    /// Says that an entry has expired: it is in the archive.
    pub fn archived(&self, entry: &Entry) -> bool {
        entry.live_until.is_some_and(|until| until < self.sequence)
    }

    /// Sets the last live ledger of an entry into the past.
    pub fn expire(&mut self, key: &LedgerKey) -> Result<()> {
        get_key_durability(key).ok_or_else(|| anyhow!("entries of this kind do not expire"))?;
        let before = self.sequence - 1;
        let entry = self.state.0.get_mut(&bytes(key)?).ok_or_else(|| anyhow!("there is no such entry"))?;
        entry.live_until = Some(before);
        Ok(())
    }
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}
