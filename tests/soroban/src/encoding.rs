//! Between the words of the RPC and XDR.

use anyhow::{anyhow, Context, Result};
use base64::prelude::{Engine, BASE64_STANDARD};
use sha2::{Digest, Sha256};
use soroban_env_host::xdr::{AccountId, ContractId, Limits, PublicKey, ReadXdr, ScAddress, Uint256, WriteXdr};
use soroban_env_host::DEFAULT_XDR_RW_LIMITS;

pub fn to_base64(value: &impl WriteXdr) -> Result<String> {
    Ok(BASE64_STANDARD.encode(bytes(value)?))
}

pub fn bytes(value: &impl WriteXdr) -> Result<Vec<u8>> {
    Ok(value.to_xdr(Limits::none())?)
}

pub fn from_base64<T: ReadXdr>(text: &str) -> Result<T> {
    let raw = BASE64_STANDARD.decode(text).context("decode base64")?;
    T::from_xdr(raw, DEFAULT_XDR_RW_LIMITS).context("decode XDR")
}

pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|p| hasher.update(p));
    hasher.finalize().into()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub fn from_hex(text: &str) -> Result<[u8; 32]> {
    let digits = (0..64)
        .step_by(2)
        .map(|i| text.get(i..i + 2).and_then(|d| u8::from_str_radix(d, 16).ok()));
    let raw: Option<Vec<u8>> = digits.collect();
    raw.filter(|_| text.len() == 64)
        .and_then(|r| r.try_into().ok())
        .ok_or_else(|| anyhow!("{text:?} is no hash"))
}

/// An account's key from its address, G...
pub fn account_id(address: &str) -> Result<AccountId> {
    address.parse().map_err(|e| anyhow!("{address:?} is no account's address: {e}"))
}

/// The Ed25519 key of an account.
pub fn key(account: &AccountId) -> [u8; 32] {
    let PublicKey::PublicKeyTypeEd25519(Uint256(key)) = &account.0;
    *key
}

/// A contract's address, C...
pub fn contract_address(id: &ContractId) -> String {
    ScAddress::Contract(id.clone()).to_string()
}
