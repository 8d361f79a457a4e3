package archive

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/time/rate"
)

// Limiter bounds how many bytes a second go up or are read back.
type Limiter interface {
	// WaitN returns when n more bytes may pass; n is at most Burst.
	WaitN(ctx context.Context, n int) error
	// Burst is the most that may pass at once.
	Burst() int
}

// burst is how many bytes may pass at once, at any rate.
const burst = 64 << 10

// NewLimiter bounds by bytes a second; 0: no bound, and nil is returned.
func NewLimiter(bytesPerSecond int64) Limiter {
	if bytesPerSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(bytesPerSecond), burst)
}

// throttled is a reader that waits for the limiter; none: it does not wait.
type throttled struct {
	ctx     context.Context
	from    io.Reader
	limiter Limiter
}

// Read implements io.Reader.
func (t *throttled) Read(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, fmt.Errorf("transfer: %w", context.Cause(t.ctx))
	}
	if t.limiter == nil {
		return t.from.Read(p)
	}
	n, err := t.from.Read(p[:min(len(p), t.limiter.Burst())])
	if n > 0 {
		if err := t.limiter.WaitN(t.ctx, n); err != nil {
			return n, fmt.Errorf("transfer: %w", err)
		}
	}
	return n, err
}
