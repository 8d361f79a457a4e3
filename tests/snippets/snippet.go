package snippets

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// snippet
func eventOf(r *http.Request) (at time.Time, draw *rand.Rand, err error) {
	ms, err := strconv.ParseInt(r.Header.Get("x-verbatim-clock-ms"), 10, 64)
	if err != nil {
		return at, nil, fmt.Errorf("read clock header: %w", err)
	}
	seed, err := strconv.ParseUint(r.Header.Get("x-verbatim-seed"), 10, 64)
	if err != nil {
		return at, nil, fmt.Errorf("read seed header: %w", err)
	}
	return time.UnixMilli(ms).UTC(), rand.New(rand.NewPCG(seed, 0)), nil
}

// end
