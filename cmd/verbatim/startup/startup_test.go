package startup

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

func percent() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// Behind the first collection the runtime collects as it would have anyway.
func TestLaterCollectionsAreAsUsual(t *testing.T) {
	runtime.GC()
	for began := time.Now(); percent() != laterPercent; runtime.Gosched() {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the percentage is still %d", percent())
		}
	}
}
