//! The network's settings: fees and limits as the public network had them with protocol 23 and later.

use anyhow::{Context, Result};
use soroban_env_host::budget::Budget;
use soroban_env_host::fees::{FeeConfiguration, RentFeeConfiguration};
use soroban_simulation::NetworkConfig;

use crate::costs;

pub const PROTOCOL: u32 = 28;
/// Stroops: the least inclusion fee of an operation, and what each of an account's entries reserves.
pub const BASE_FEE: u32 = 100;
pub const BASE_RESERVE: u32 = 5_000_000;
/// How long RPC servers remember, in ledgers: seven days at five seconds.
pub const RETENTION: u32 = 120_960;

/// Limits of one transaction.
pub const MAX_INSTRUCTIONS: u32 = 100_000_000;
const MAX_MEMORY: u32 = 41_943_040;
pub const MAX_FOOTPRINT: usize = 100;
pub const MAX_DISK_READ_BYTES: u32 = 200_000;
pub const MAX_WRITE_ENTRIES: usize = 50;
pub const MAX_WRITE_BYTES: u32 = 132_096;
pub const MAX_SIZE: usize = 132_096;

pub fn network() -> NetworkConfig {
    NetworkConfig {
        fee_configuration: fees(),
        rent_fee_configuration: RentFeeConfiguration {
            fee_per_write_1kb: 875,
            fee_per_rent_1kb: 1_000,
            fee_per_write_entry: 2_500,
            persistent_rent_rate_denominator: 1_215,
            temporary_rent_rate_denominator: 2_430,
        },
        tx_max_instructions: MAX_INSTRUCTIONS.into(),
        tx_memory_limit: MAX_MEMORY,
        cpu_cost_params: costs::instructions(),
        memory_cost_params: costs::memory(),
        min_temp_entry_ttl: 17_280,
        min_persistent_entry_ttl: 2_073_600,
        max_entry_ttl: 3_110_400,
    }
}

pub fn fees() -> FeeConfiguration {
    FeeConfiguration {
        fee_per_instruction_increment: 25,
        fee_per_disk_read_entry: 6_250,
        fee_per_write_entry: 10_000,
        fee_per_disk_read_1kb: 1_786,
        fee_per_write_1kb: 875,
        fee_per_historical_1kb: 16_235,
        fee_per_contract_event_1kb: 10_000,
        fee_per_transaction_size_1kb: 1_624,
    }
}

/// A budget of as many instructions as a transaction declares.
pub fn budget(instructions: u32) -> Result<Budget> {
    let memory = MAX_MEMORY.into();
    Budget::try_from_configs(instructions.into(), memory, costs::instructions(), costs::memory()).context("make budget")
}
