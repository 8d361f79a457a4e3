package policy

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// meterIDs turns what the expression yields into ids, sorted and each once.
func meterIDs(val ref.Val) ([]string, error) {
	list, ok := present(val).(traits.Lister)
	if !ok {
		return addMeterID(nil, val)
	}
	// A list is looked at whole: its length is bounded by the body's, and only
	// what is left after sorting counts as too many.
	var ids []string
	for it := list.Iterator(); it.HasNext() == types.True; {
		var err error
		if ids, err = addMeterID(ids, it.Next()); err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > MaxMeterIDs {
		return nil, fmt.Errorf("%d meter ids in one request, at most %d are possible", len(ids), MaxMeterIDs)
	}
	return ids, nil
}

// addMeterID appends one id, or nothing for null and the empty string.
func addMeterID(ids []string, val ref.Val) ([]string, error) {
	id, err := meterID(present(val))
	switch {
	case err != nil:
		return nil, err
	case id == "":
		return ids, nil
	case len(id) > MaxMeterIDBytes:
		return nil, fmt.Errorf("a meter id of %d bytes, at most %d are possible", len(id), MaxMeterIDBytes)
	case !utf8.ValidString(id):
		return nil, fmt.Errorf("the meter id %q is not valid UTF-8", id)
	}
	return append(ids, id), nil
}

// meterID gives a number its decimal text, the same whether it was written as 7,
// 7.0 or 7e0.
func meterID(val ref.Val) (string, error) {
	switch v := val.(type) {
	case types.String:
		return string(v), nil
	case types.Null:
		return "", nil
	case types.Int:
		return strconv.FormatInt(int64(v), 10), nil
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10), nil
	case types.Double:
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'f', -1, 64), nil
		}
		return "", errors.New("a meter id that is no finite number")
	default:
		return "", fmt.Errorf("a meter id of type %s, a string or a number is needed", val.Type().TypeName())
	}
}

// present unwraps an optional; an absent one is null.
func present(val ref.Val) ref.Val {
	opt, ok := val.(*types.Optional)
	switch {
	case !ok:
		return val
	case opt.HasValue():
		return opt.GetValue()
	default:
		return types.NullValue
	}
}

func skipReason(val ref.Val) (reason string, skipped bool) {
	switch v := val.(type) {
	case types.Bool:
		if v {
			return "skip", true
		}
	case types.String:
		reason = strings.ToValidUTF8(string(v), "\uFFFD")
		return cut(reason, MaxReasonBytes), reason != ""
	}
	return "", false
}

// cut shortens valid UTF-8 to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
