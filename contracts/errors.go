package contracts

import "fmt"

// Error is an error of the contract, known by its number: the network reports it as Error(Contract, #number).
type Error uint32

// The contract's errors. Those that begin with Bad say that an argument has another type or length than it should; they
// come before anything else is looked at.
const (
	AlreadyOpen     Error = 1
	NotOpen         Error = 2
	RootDiffers     Error = 3
	IDNotIncreasing Error = 4
	NotProposed     Error = 5
	BadLogID        Error = 6
	BadWriter       Error = 7
	BadCheckpointID Error = 8
	BadRootHash     Error = 9
	BadTimestamp    Error = 10
)

// errorCases has the errors in order of their numbers: what the interface calls them, and what they mean.
var errorCases = []struct{ name, sentence string }{
	{"AlreadyOpen", "The log is open already"},
	{"NotOpen", "The log is not open"},
	{"RootDiffers", "The checkpoint is stored with another root"},
	{"IdNotIncreasing", "The id is below the latest, and not stored"},
	{"NotProposed", "No writer is proposed"},
	{"BadLogId", "The log id is not 32 bytes"},
	{"BadWriter", "The writer is not an address"},
	{"BadCheckpointId", "The checkpoint id is not a u64"},
	{"BadRootHash", "The root hash is not 32 bytes"},
	{"BadTimestamp", "The timestamp is not a u64"},
}

// known says whether the contract has an error of this number.
func (e Error) known() bool { return 0 < e && int(e) <= len(errorCases) }

// Name is the error's name in the contract's interface. An unknown number's name is empty.
func (e Error) Name() string {
	if !e.known() {
		return ""
	}
	return errorCases[e-1].name
}

// Error says what happened, the error's name and its number.
func (e Error) Error() string {
	if !e.known() {
		return fmt.Sprintf("the contract failed with its error #%d, which this program does not know", uint32(e))
	}
	c := errorCases[e-1]
	return fmt.Sprintf("%s (%s, contract error #%d)", c.sentence, c.name, uint32(e))
}
