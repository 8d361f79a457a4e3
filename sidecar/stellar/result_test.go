package stellar

import (
	"testing"

	"github.com/stellar/go-stellar-sdk/xdr"
)

func TestResultCode(t *testing.T) {
	outer := func(c xdr.TransactionResultCode, ops ...xdr.OperationResult) xdr.TransactionResult {
		return xdr.TransactionResult{Result: xdr.TransactionResultResult{Code: c, Results: &ops}}
	}
	bumped := func(c xdr.TransactionResultCode, ops ...xdr.OperationResult) xdr.TransactionResult {
		return xdr.TransactionResult{Result: xdr.TransactionResultResult{
			Code: xdr.TransactionResultCodeTxFeeBumpInnerFailed,
			InnerResultPair: &xdr.InnerTransactionResultPair{Result: xdr.InnerTransactionResult{
				Result: xdr.InnerTransactionResultResult{Code: c, Results: &ops},
			}},
		}}
	}
	restore := xdr.OperationResult{Tr: &xdr.OperationResultTr{
		Type:                   xdr.OperationTypeRestoreFootprint,
		RestoreFootprintResult: &xdr.RestoreFootprintResult{Code: xdr.RestoreFootprintResultCodeRestoreFootprintInsufficientRefundableFee},
	}}
	payment := xdr.OperationResult{Tr: &xdr.OperationResultTr{
		Type: xdr.OperationTypePayment, PaymentResult: &xdr.PaymentResult{Code: xdr.PaymentResultCodePaymentUnderfunded},
	}}
	for want, r := range map[string]xdr.TransactionResult{
		"txBAD_SEQ":                outer(xdr.TransactionResultCodeTxBadSeq),
		"txINSUFFICIENT_FEE":       outer(xdr.TransactionResultCodeTxInsufficientFee),
		"txBAD_MIN_SEQ_AGE_OR_GAP": outer(xdr.TransactionResultCodeTxBadMinSeqAgeOrGap),
		"txFAILED":                 outer(xdr.TransactionResultCodeTxFailed),
		"opBAD_AUTH":               outer(xdr.TransactionResultCodeTxFailed, xdr.OperationResult{Code: xdr.OperationResultCodeOpBadAuth}),
		"opINNER":                  outer(xdr.TransactionResultCodeTxFailed, payment),
		"RESTORE_FOOTPRINT_INSUFFICIENT_REFUNDABLE_FEE": outer(xdr.TransactionResultCodeTxFailed, restore),
		"txTOO_LATE":   bumped(xdr.TransactionResultCodeTxTooLate),
		"opNO_ACCOUNT": bumped(xdr.TransactionResultCodeTxFailed, xdr.OperationResult{Code: xdr.OperationResultCodeOpNoAccount}),
	} {
		if code, success, err := resultCode(r); code != want || success || err != nil {
			t.Errorf("it is %s, not %s: %t, %v", code, want, success, err)
		}
	}
}
