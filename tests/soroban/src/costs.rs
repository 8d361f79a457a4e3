//! What the host charges for its work, as of protocol 28. On the network these numbers are ledger
//! settings; the crate has them as private defaults, so they stand here again.

use soroban_env_host::xdr::{ContractCostParamEntry, ContractCostParams, ContractCostType as T, ExtensionPoint};

/// Kind of work; constant and linear term for instructions, then for memory.
type Cost = (T, i64, i64, i64, i64);

const COSTS: &[Cost] = &[
    (T::WasmInsnExec, 4, 0, 0, 0),
    (T::MemAlloc, 434, 16, 16, 128),
    (T::MemCpy, 42, 16, 0, 0),
    (T::MemCmp, 44, 16, 0, 0),
    (T::DispatchHostFunction, 295, 0, 0, 0),
    (T::VisitObject, 60, 0, 0, 0),
    (T::ValSer, 221, 26, 242, 384),
    (T::ValDeser, 331, 4369, 0, 384),
    (T::ComputeSha256Hash, 3636, 7013, 0, 0),
    (T::ComputeEd25519PubKey, 40256, 0, 0, 0),
    (T::VerifyEd25519Sig, 377551, 4059, 0, 0),
    (T::VmInstantiation, 417482, 45712, 132773, 4903),
    (T::VmCachedInstantiation, 41142, 634, 69472, 1217),
    (T::InvokeVmFunction, 1945, 0, 14, 0),
    (T::ComputeKeccak256Hash, 6481, 5943, 0, 0),
    (T::DecodeEcdsaCurve256Sig, 711, 0, 0, 0),
    (T::RecoverEcdsaSecp256k1Key, 2314804, 0, 181, 0),
    (T::Int256AddSub, 4176, 0, 99, 0),
    (T::Int256Mul, 4716, 0, 99, 0),
    (T::Int256Div, 4680, 0, 99, 0),
    (T::Int256Pow, 4256, 0, 99, 0),
    (T::Int256Shift, 884, 0, 99, 0),
    (T::ChaCha20DrawBytes, 1059, 502, 0, 0),
    (T::ParseWasmInstructions, 73077, 25410, 17564, 6457),
    (T::ParseWasmFunctions, 0, 540752, 0, 47464),
    (T::ParseWasmGlobals, 0, 176363, 0, 13420),
    (T::ParseWasmTableEntries, 0, 29989, 0, 6285),
    (T::ParseWasmTypes, 0, 1061449, 0, 64670),
    (T::ParseWasmDataSegments, 0, 237336, 0, 29074),
    (T::ParseWasmElemSegments, 0, 328476, 0, 48095),
    (T::ParseWasmImports, 0, 701845, 0, 103229),
    (T::ParseWasmExports, 0, 429383, 0, 36394),
    (T::ParseWasmDataSegmentBytes, 0, 28, 0, 257),
    (T::InstantiateWasmInstructions, 43030, 0, 70704, 0),
    (T::InstantiateWasmFunctions, 0, 7556, 0, 14613),
    (T::InstantiateWasmGlobals, 0, 10711, 0, 6833),
    (T::InstantiateWasmTableEntries, 0, 3300, 0, 1025),
    (T::InstantiateWasmTypes, 0, 0, 0, 0),
    (T::InstantiateWasmDataSegments, 0, 23038, 0, 129632),
    (T::InstantiateWasmElemSegments, 0, 42488, 0, 13665),
    (T::InstantiateWasmImports, 0, 828974, 0, 97637),
    (T::InstantiateWasmExports, 0, 297100, 0, 9176),
    (T::InstantiateWasmDataSegmentBytes, 0, 14, 0, 126),
    (T::Sec1DecodePointUncompressed, 1882, 0, 0, 0),
    (T::VerifyEcdsaSecp256r1Sig, 3000906, 0, 0, 0),
    (T::Bls12381EncodeFp, 661, 0, 0, 0),
    (T::Bls12381DecodeFp, 985, 0, 0, 0),
    (T::Bls12381G1CheckPointOnCurve, 1934, 0, 0, 0),
    (T::Bls12381G1CheckPointInSubgroup, 730510, 0, 0, 0),
    (T::Bls12381G2CheckPointOnCurve, 5921, 0, 0, 0),
    (T::Bls12381G2CheckPointInSubgroup, 1057822, 0, 0, 0),
    (T::Bls12381G1ProjectiveToAffine, 92642, 0, 0, 0),
    (T::Bls12381G2ProjectiveToAffine, 100742, 0, 0, 0),
    (T::Bls12381G1Add, 7689, 0, 0, 0),
    (T::Bls12381G1Mul, 2458985, 0, 0, 0),
    (T::Bls12381G1Msm, 2347584, 94135478, 109494, 266603),
    (T::Bls12381MapFpToG1, 1020885, 0, 2776, 0),
    (T::Bls12381HashToG1, 2638451, 6803, 5896, 0),
    (T::Bls12381G2Add, 25207, 0, 0, 0),
    (T::Bls12381G2Mul, 7873219, 0, 0, 0),
    (T::Bls12381G2Msm, 7663880, 298580871, 219654, 266603),
    (T::Bls12381MapFp2ToG2, 1856539, 0, 1672, 0),
    (T::Bls12381HashToG2, 6315452, 7232, 3960, 0),
    (T::Bls12381Pairing, 10558948, 632860943, 2204, 9340474),
    (T::Bls12381FrFromU256, 1994, 0, 0, 0),
    (T::Bls12381FrToU256, 1155, 0, 248, 0),
    (T::Bls12381FrAddSub, 74, 0, 0, 0),
    (T::Bls12381FrMul, 332, 0, 0, 0),
    (T::Bls12381FrPow, 691, 74558, 0, 128),
    (T::Bls12381FrInv, 35421, 0, 0, 0),
    (T::Bn254EncodeFp, 344, 0, 0, 0),
    (T::Bn254DecodeFp, 476, 0, 0, 0),
    (T::Bn254G1CheckPointOnCurve, 904, 0, 0, 0),
    (T::Bn254G2CheckPointOnCurve, 2811, 0, 0, 0),
    (T::Bn254G2CheckPointInSubgroup, 1706052, 0, 0, 0),
    (T::Bn254G1ProjectiveToAffine, 61, 0, 0, 0),
    (T::Bn254G1Add, 3623, 0, 0, 0),
    (T::Bn254G1Mul, 1150435, 0, 0, 0),
    (T::Bn254Pairing, 5263916, 392472814, 1821, 6232546),
    (T::Bn254FrFromU256, 2052, 0, 0, 0),
    (T::Bn254FrToU256, 1133, 0, 312, 0),
    (T::Bn254FrAddSub, 74, 0, 0, 0),
    (T::Bn254FrMul, 332, 0, 0, 0),
    (T::Bn254FrPow, 755, 68930, 0, 0),
    (T::Bn254FrInv, 33151, 0, 0, 0),
    (T::Bn254G1Msm, 1185193, 41568084, 73061, 229779),
];

fn params(pick: fn(&Cost) -> (i64, i64)) -> ContractCostParams {
    let mut list = vec![];
    for (index, cost) in COSTS.iter().enumerate() {
        assert_eq!(cost.0 as usize, index, "the kinds of work are listed in the order of their numbers");
        let (const_term, linear_term) = pick(cost);
        list.push(ContractCostParamEntry {
            ext: ExtensionPoint::V0,
            const_term,
            linear_term,
        });
    }
    ContractCostParams(list.try_into().expect("fits the type's bound"))
}

pub fn instructions() -> ContractCostParams {
    params(|c| (c.1, c.2))
}

pub fn memory() -> ContractCostParams {
    params(|c| (c.3, c.4))
}
