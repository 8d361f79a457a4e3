package contracts

import "github.com/stellar/go-stellar-sdk/xdr"

// Interface describes the contract's functions, types, errors and events, as the module's section contractspecv0 does. Its
// words are few, as the network keeps them for a fee; README.md has more.
func Interface() []xdr.ScSpecEntry {
	logID := field{"log_id", bytesN(32), ""}
	writer := field{"writer", address, ""}
	checkpointID := field{"checkpoint_id", u64, ""}
	rootHash := field{"root_hash", bytesN(32), ""}
	timestamp := field{"timestamp", u64, ""}
	closedAt := field{"closed_at", u64, ""}
	ledger := field{"ledger", u32, ""}

	return []xdr.ScSpecEntry{
		function(FunctionOpen,
			"Opens a log, once. Its writer authorizes it.",
			nothing, logID, writer),
		function(FunctionCommit,
			"Stores a root. The log's writer authorizes it. Ids increase. "+
				"A stored id with its own root is accepted and changes nothing.",
			nothing, logID, checkpointID, rootHash, timestamp),
		function(FunctionLatest,
			"The root with the highest id.",
			option(defined("Root")), logID),
		function(FunctionGet,
			"One checkpoint's root.",
			option(defined("Root")), logID, checkpointID),
		function(FunctionPropose,
			"Proposes another writer. The log's writer authorizes it.",
			nothing, logID, writer),
		function(FunctionAccept,
			"Makes the proposed writer the log's. It authorizes this.",
			nothing, logID),

		structure("Root", "",
			checkpointID,
			closedAt.doc("The ledger's, Unix seconds"),
			ledger,
			rootHash,
			timestamp.doc("The log's, Unix milliseconds"),
		),
		structure("Log", "",
			field{"latest", option(defined("Root")), ""},
			field{"proposed", option(address), ""},
			writer,
		),
		union("DataKey", "Keys of persistent storage",
			tupleCase{KeyLog, []xdr.ScSpecTypeDef{logID.kind}},
			tupleCase{KeyRoot, []xdr.ScSpecTypeDef{logID.kind, checkpointID.kind}},
		),
		errorEnum(),

		event("Opened", EventOpened, logID, writer),
		event("Committed", EventCommitted, logID, checkpointID, closedAt, ledger, rootHash, timestamp),
		event("Proposed", EventProposed, logID, writer),
		event("Accepted", EventAccepted, logID, writer),
	}
}

// EnvMeta says which version of the host's interface the contract was written for, as the module's section
// contractenvmetav0 does. Later hosts serve it as well.
func EnvMeta() xdr.ScEnvMetaEntry {
	return xdr.ScEnvMetaEntry{
		Kind:             xdr.ScEnvMetaKindScEnvMetaKindInterfaceVersion,
		InterfaceVersion: &xdr.ScEnvMetaEntryInterfaceVersion{Protocol: 22, PreRelease: 0},
	}
}

// Meta says what the contract is, for people, as the module's section contractmetav0 does.
func Meta() []xdr.ScMetaEntry {
	entry := func(key, value string) xdr.ScMetaEntry {
		return xdr.ScMetaEntry{Kind: xdr.ScMetaKindScMetaV0, V0: &xdr.ScMetaV0{Key: key, Val: value}}
	}
	return []xdr.ScMetaEntry{
		entry("name", "audit_root"),
		entry("version", "1"),
		entry("source", "verbatim: contracts/audit_root.wat"),
	}
}
