package output

import (
	"fmt"
	"strconv"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// SplitStatus takes ":status" from the head of a response's header list, where
// Envoy's ext_proc and HTTP/2 put it. The rest shares memory with list.
func SplitStatus(list []*logv1.Header) (status int, rest []*logv1.Header, err error) {
	if len(list) == 0 || string(list[0].GetName()) != ":status" {
		return 0, nil, fmt.Errorf("%w: the header list does not begin with :status", ErrStatus)
	}
	value := string(list[0].GetValue())
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || n < 100 {
		return 0, nil, fmt.Errorf("%w: %q", ErrStatus, value)
	}
	return int(n), list[1:], nil
}
