package stellar

import (
	"errors"
	"strings"
	"unicode"

	"github.com/stellar/go-stellar-sdk/xdr"
)

// resultCode is what a transaction or its operation ended with, by the network's
// name, and whether it succeeded. Of a fee bump it is the inner transaction's.
func resultCode(r xdr.TransactionResult) (code string, success bool, err error) {
	outer := r.Result
	ops, _ := outer.GetResults()
	code, success = transactionCode(outer.Code), outer.Code == xdr.TransactionResultCodeTxSuccess
	if pair, bumped := outer.GetInnerResultPair(); bumped {
		inner := pair.Result.Result
		ops, _ = inner.GetResults()
		code, success = transactionCode(inner.Code), inner.Code == xdr.TransactionResultCodeTxSuccess
		if success != (outer.Code == xdr.TransactionResultCodeTxFeeBumpInnerSuccess) {
			return "", false, errors.New("a fee bump and its inner transaction disagree about success")
		}
	}
	if !success && len(ops) > 0 {
		return operationCode(ops[0]), false, nil
	}
	return code, success, nil
}

func transactionCode(c xdr.TransactionResultCode) string {
	return "tx" + upperSnake(strings.TrimPrefix(c.String(), "TransactionResultCodeTx"))
}

// operationCode knows the operations that this package makes, others by their outer
// code.
func operationCode(r xdr.OperationResult) string {
	tr, inner := r.GetTr()
	if !inner {
		return "op" + upperSnake(strings.TrimPrefix(r.Code.String(), "OperationResultCodeOp"))
	}
	if invoke, ok := tr.GetInvokeHostFunctionResult(); ok {
		return upperSnake(strings.TrimPrefix(invoke.Code.String(), "InvokeHostFunctionResultCode"))
	}
	if restore, ok := tr.GetRestoreFootprintResult(); ok {
		return upperSnake(strings.TrimPrefix(restore.Code.String(), "RestoreFootprintResultCode"))
	}
	return "opINNER"
}

// upperSnake turns BadSeq into BAD_SEQ.
func upperSnake(camel string) string {
	var b strings.Builder
	for i, r := range camel {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}
