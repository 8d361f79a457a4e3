package doctor

import (
	"slices"
	"strings"
	"testing"
)

func TestListening(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F91 0100007F:C000 01 00000000:00000000
   2: 00000000:0050 00000000:0000 0A 00000000:00000000
   3: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 0
   4: 0000000000000000FFFF00000100007F:1F93 00000000000000000000000000000000:0000 0A 0
`
	got, err := listening(strings.NewReader(table))
	want := []string{"127.0.0.1:8080", "0.0.0.0:80", "[::1]:8082", "127.0.0.1:8083"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"x:1F90", "0100007F", "0100007F:x", "01:1F90", "0100:1F90", "0100007F0100007F:1F90"} {
		if _, err := listening(strings.NewReader("head\n 0: " + bad + " 0:0 0A\n")); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
