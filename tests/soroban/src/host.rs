//! Operations that the real host carries out, in enforcing mode, and those on lifetimes.

use anyhow::{anyhow, Result};
use rand::RngCore;
use soroban_env_host::budget::Budget;
use soroban_env_host::e2e_invoke::{entry_size_for_rent, extract_rent_changes, invoke_host_function, InvokeHostFunctionResult, TtlLedgerEntryMeta};
use soroban_env_host::fees::{compute_rent_fee, compute_transaction_resource_fee, LedgerEntryRentChange, TransactionResources};
use soroban_env_host::ledger_info::get_key_durability;
use soroban_env_host::storage::Storage;
use soroban_env_host::xdr::{
    AccountId, ContractDataDurability, ContractEvent, ExtendFootprintTtlResult, Hash, InvokeHostFunctionOp, InvokeHostFunctionResult as I,
    LedgerEntry, LedgerEntryData, LedgerKey, ReadXdr, RestoreFootprintResult, ScErrorCode, ScErrorType, ScVal, SorobanTransactionData,
};
use soroban_env_host::{Host, HostError, ModuleCache, DEFAULT_XDR_RW_LIMITS};

use crate::apply::{extended, restored, success_hash, Done};
use crate::check::{archived, not_refundable};
use crate::encoding::bytes;
use crate::ledger::{Entry, Ledger};
use crate::limits;
use crate::transaction::Received;

type Input = (Option<Vec<u8>>, Option<TtlLedgerEntryMeta>);

impl Ledger {
    pub fn invoke(&mut self, received: &Received, source: &AccountId, op: &InvokeHostFunctionOp) -> Result<Done> {
        let data = received.soroban().expect("it was checked");
        let Some(inputs) = self.inputs(data)? else {
            return Ok(Done::invoke(I::EntryArchived));
        };
        let read = inputs.disk_read_bytes;
        if read > data.resources.disk_read_bytes {
            return Ok(Done::invoke(I::ResourceLimitExceeded));
        }
        let budget = limits::budget(data.resources.instructions)?;
        let auth = op.auth.iter().map(bytes).collect::<Result<Vec<_>>>()?;
        let mut seed = [0u8; 32];
        rand::thread_rng().fill_bytes(&mut seed);
        let outcome = invoke_host_function(
            &budget,
            true,
            bytes(&op.host_function)?,
            bytes(&data.resources)?,
            archived(data),
            bytes(source)?,
            auth.into_iter(),
            self.info(self.sequence, self.closed_at),
            inputs.entries.into_iter(),
            seed.to_vec(),
            &mut vec![],
            None,
            Some(self.modules()?),
        );
        match outcome {
            Err(e) => Ok(Done::invoke(failure(&e))),
            Ok(InvokeHostFunctionResult {
                encoded_invoke_result: Err(e),
                ..
            }) => Ok(Done::invoke(failure(&e))),
            Ok(InvokeHostFunctionResult {
                encoded_invoke_result: Ok(value),
                ledger_changes,
                encoded_contract_events,
            }) => {
                let rent = extract_rent_changes(&ledger_changes);
                let written: usize = ledger_changes.iter().filter_map(|c| c.encoded_new_value.as_ref()).map(Vec::len).sum();
                if written > data.resources.write_bytes as usize {
                    return Ok(Done::invoke(I::ResourceLimitExceeded));
                }
                let size = value.len() + encoded_contract_events.iter().map(Vec::len).sum::<usize>();
                let done = self.succeeded(received, data, &value, &encoded_contract_events, &rent, size)?;
                if done.success {
                    self.take(ledger_changes)?;
                }
                Ok(done)
            }
        }
    }

    /// A success, if what may be refunded pays for rent and events.
    fn succeeded(
        &self,
        received: &Received,
        data: &SorobanTransactionData,
        value: &[u8],
        events: &[Vec<u8>],
        rent: &[LedgerEntryRentChange],
        size: usize,
    ) -> Result<Done> {
        let (rent, refundable) = self.refundable(rent, size);
        if refundable > data.resource_fee - not_refundable(received, data) {
            return Ok(Done::invoke(I::InsufficientRefundableFee));
        }
        let value = ScVal::from_xdr(value, DEFAULT_XDR_RW_LIMITS)?;
        let events: Vec<ContractEvent> = events
            .iter()
            .map(|e| ContractEvent::from_xdr(e, DEFAULT_XDR_RW_LIMITS))
            .collect::<Result<_, _>>()?;
        let result = I::Success(Hash(success_hash(&value, &events)?));
        Ok(Done {
            success: true,
            value: Some(value),
            events,
            rent,
            refundable,
            ..Done::invoke(result)
        })
    }

    /// What rent costs, and with it what events do.
    fn refundable(&self, rent: &[LedgerEntryRentChange], events_size: usize) -> (i64, i64) {
        let network = limits::network();
        let rent = compute_rent_fee(rent, &network.rent_fee_configuration, self.sequence);
        let of_events = TransactionResources {
            instructions: 0,
            disk_read_entries: 0,
            write_entries: 0,
            disk_read_bytes: 0,
            write_bytes: 0,
            contract_events_size_bytes: events_size as u32,
            transaction_size_bytes: 0,
        };
        (rent, rent + compute_transaction_resource_fee(&of_events, &network.fee_configuration).1)
    }

    /// The footprint's entries for the host; None if one is archived and not to be restored.
    fn inputs(&self, data: &SorobanTransactionData) -> Result<Option<Inputs>> {
        let mut inputs = Inputs {
            entries: vec![],
            disk_read_bytes: 0,
        };
        let footprint = &data.resources.footprint;
        for key in footprint.read_only.iter() {
            match self.input(key, false)? {
                Some(input) => inputs.add(key, input, false),
                None => return Ok(None),
            }
        }
        for (index, key) in (0u32..).zip(footprint.read_write.iter()) {
            let restore = archived(data).contains(&index);
            match self.input(key, restore)? {
                Some(input) => inputs.add(key, input, restore),
                None => return Ok(None),
            }
        }
        Ok(Some(inputs))
    }

    fn input(&self, key: &LedgerKey, restore: bool) -> Result<Option<Input>> {
        let Some(entry) = self.state.get(key)? else {
            return Ok(Some((None, None)));
        };
        let mut live_until = entry.live_until;
        if self.archived(entry) {
            match get_key_durability(key) {
                Some(ContractDataDurability::Temporary) => return Ok(Some((None, None))),
                _ if !restore => return Ok(None),
                _ => live_until = Some(self.restored_until()),
            }
        }
        let raw = bytes(entry.entry.as_ref())?;
        let meta = match live_until {
            Some(live_until_ledger) => Some(TtlLedgerEntryMeta {
                live_until_ledger,
                entry_size_for_rent: rent_size(&entry.entry, raw.len())?,
            }),
            None => None,
        };
        Ok(Some((Some(raw), meta)))
    }

    fn restored_until(&self) -> u32 {
        self.sequence + limits::network().min_persistent_entry_ttl - 1
    }

    /// Contract code that is parsed already: the network keeps all of it so.
    fn modules(&self) -> Result<ModuleCache> {
        let host = Host::with_storage_and_budget(Storage::default(), limits::budget(u32::MAX)?);
        let cache = ModuleCache::new(&host).map_err(told)?;
        for Entry { entry, .. } in self.state.0.values() {
            if let LedgerEntryData::ContractCode(code) = &entry.data {
                cache
                    .parse_and_cache_module_simple(&host, limits::PROTOCOL, code.code.as_slice())
                    .map_err(told)?;
            }
        }
        Ok(cache)
    }

    /// Makes an invocation's changes the ledger's.
    fn take(&mut self, changes: Vec<soroban_env_host::e2e_invoke::LedgerEntryChange>) -> Result<()> {
        for change in changes {
            let live_until = change.ttl_change.as_ref().map(|t| t.new_live_until_ledger);
            if change.read_only {
                if let Some(old) = self.state.0.get_mut(&change.encoded_key) {
                    old.live_until = old.live_until.max(live_until.filter(|l| *l > 0));
                }
                continue;
            }
            match change.encoded_new_value {
                None => {
                    self.state.0.remove(&change.encoded_key);
                }
                Some(raw) => {
                    let mut entry = LedgerEntry::from_xdr(raw, DEFAULT_XDR_RW_LIMITS)?;
                    entry.last_modified_ledger_seq = self.sequence;
                    self.state.0.insert(
                        change.encoded_key,
                        Entry {
                            entry: entry.into(),
                            live_until,
                        },
                    );
                }
            }
        }
        Ok(())
    }

    pub fn extend(&mut self, received: &Received, extend_to: u32) -> Result<Done> {
        let data = received.soroban().expect("it was checked").clone();
        let until = self.sequence + extend_to;
        let mut rent = vec![];
        for key in data.resources.footprint.read_only.iter() {
            match self.state.get(key)?.cloned() {
                Some(entry) if !self.archived(&entry) && entry.live_until < Some(until) => {
                    rent.push(rent_change(key, &entry, entry.live_until.unwrap_or(0), until)?);
                    self.state.0.insert(
                        bytes(key)?,
                        Entry {
                            live_until: Some(until),
                            ..entry
                        },
                    );
                }
                _ => {}
            }
        }
        let success = Done::new(extended(ExtendFootprintTtlResult::Success), true);
        let poor = Done::new(extended(ExtendFootprintTtlResult::InsufficientRefundableFee), false);
        Ok(self.paid(received, &data, &rent, success, poor))
    }

    pub fn restore(&mut self, received: &Received) -> Result<Done> {
        let data = received.soroban().expect("it was checked").clone();
        let until = self.restored_until();
        let (mut rent, mut size) = (vec![], 0);
        for key in data.resources.footprint.read_write.iter() {
            match self.state.get(key)?.cloned() {
                Some(entry) if self.archived(&entry) => {
                    rent.push(rent_change(key, &entry, 0, until)?);
                    size += bytes(entry.entry.as_ref())?.len();
                    self.state.0.insert(
                        bytes(key)?,
                        Entry {
                            live_until: Some(until),
                            ..entry
                        },
                    );
                }
                _ => {}
            }
        }
        if size > data.resources.disk_read_bytes as usize || size > data.resources.write_bytes as usize {
            return Ok(Done::new(restored(RestoreFootprintResult::ResourceLimitExceeded), false));
        }
        let success = Done::new(restored(RestoreFootprintResult::Success), true);
        let poor = Done::new(restored(RestoreFootprintResult::InsufficientRefundableFee), false);
        Ok(self.paid(received, &data, &rent, success, poor))
    }

    fn paid(&self, received: &Received, data: &SorobanTransactionData, rent: &[LedgerEntryRentChange], success: Done, poor: Done) -> Done {
        let (rent, refundable) = self.refundable(rent, 0);
        if refundable > data.resource_fee - not_refundable(received, data) {
            return poor;
        }
        Done { rent, refundable, ..success }
    }
}

struct Inputs {
    entries: Vec<Input>,
    disk_read_bytes: u32,
}

impl Inputs {
    /// Only what is not kept in memory is read from disk: accounts, and what comes from the archive.
    fn add(&mut self, key: &LedgerKey, input: Input, restore: bool) {
        if restore || get_key_durability(key).is_none() {
            self.disk_read_bytes += input.0.as_ref().map_or(0, |raw| raw.len() as u32);
        }
        self.entries.push(input);
    }
}

fn rent_size(entry: &LedgerEntry, size: usize) -> Result<u32> {
    let budget: Budget = limits::budget(u32::MAX)?;
    entry_size_for_rent(&budget, entry, size as u32).map_err(told)
}

fn rent_change(key: &LedgerKey, entry: &Entry, old_live_until_ledger: u32, new_live_until_ledger: u32) -> Result<LedgerEntryRentChange> {
    let size = rent_size(&entry.entry, bytes(entry.entry.as_ref())?.len())?;
    Ok(LedgerEntryRentChange {
        is_persistent: get_key_durability(key) == Some(ContractDataDurability::Persistent),
        is_code_entry: matches!(key, LedgerKey::ContractCode(_)),
        old_size_bytes: if old_live_until_ledger == 0 { 0 } else { size },
        new_size_bytes: size,
        old_live_until_ledger,
        new_live_until_ledger,
    })
}

/// As the network names a failed invocation.
fn failure(e: &HostError) -> I {
    if e.error.is_type(ScErrorType::Budget) && e.error.is_code(ScErrorCode::ExceededLimit) {
        I::ResourceLimitExceeded
    } else {
        I::Trapped
    }
}

/// Only the first line: the rest is a backtrace.
pub fn told(e: HostError) -> anyhow::Error {
    anyhow!("{}", e.to_string().lines().next().unwrap_or_default())
}
