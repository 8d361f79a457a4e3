package mesh

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// LoadOptions says what load to give.
type LoadOptions struct {
	// Addr is the server, IP:port, on a loopback address.
	Addr string
	// Connections is how many connections send at once, one request at a time each.
	Connections int
	// Events is how many requests are sent altogether.
	Events int
	// Meters is how many meters the readings go round.
	Meters int
	// Rate is the number of events that begin in a second, over all connections.
	// 0 means as fast as answers come.
	Rate float64
	// Body returns the JSON of event i, from 0; nil means Reading(i, Meters).
	// It is called from many goroutines.
	Body func(i int) []byte
	// Progress, if set, is told how many events are over, failed ones included,
	// after each of them. One goroutine calls it.
	Progress func(done int)
	// Answer, if set, gets each answer that came whole. One goroutine calls it.
	Answer func(i, status int, body []byte)
}

// LoadResult is what became of a load.
type LoadResult struct {
	// Done counts the events that were answered with 200.
	Done int
	// Failed counts the others by status. Those without a whole answer count
	// under 0.
	Failed map[int]int
	// Latencies are the times to the whole answer of the events in Done.
	Latencies Latencies
	// Elapsed is from the first request to the last answer.
	Elapsed time.Duration
	// FirstError is the first reason for a failure under status 0.
	FirstError error
}

// Load sends POST /v1/readings over keep-alive connections until all events are
// over or ctx ends. A failed event is counted and not sent again. When ctx ends
// the result so far comes with ctx's error.
func Load(ctx context.Context, o LoadOptions) (LoadResult, error) {
	if err := o.check(); err != nil {
		return LoadResult{}, err
	}
	if o.Body == nil {
		o.Body = func(i int) []byte { return Reading(i, o.Meters) }
	}
	start := time.Now()
	outcomes := make(chan outcome, o.Connections)
	var next atomic.Int64
	var senders sync.WaitGroup
	for range o.Connections {
		senders.Go(func() {
			s := newSender(o)
			defer s.close()
			for i := int(next.Add(1)) - 1; i < o.Events; i = int(next.Add(1)) - 1 {
				if !pace(ctx, start, i, o.Rate) {
					return
				}
				outcomes <- s.send(ctx, i)
			}
		})
	}
	go func() {
		senders.Wait()
		close(outcomes)
	}()
	result := collect(o, outcomes)
	result.Elapsed = time.Since(start)
	return result, context.Cause(ctx)
}

func (o LoadOptions) check() error {
	addr, err := netip.ParseAddrPort(o.Addr)
	if err != nil || !addr.Addr().IsLoopback() {
		return fmt.Errorf("load: address %q is not a loopback address: give one such as 127.0.0.1:10000", o.Addr)
	}
	if o.Connections < 1 || o.Events < 1 || o.Meters < 1 && o.Body == nil {
		return errors.New("load: connections, events and meters must be at least 1")
	}
	if o.Rate < 0 {
		return fmt.Errorf("load: rate %v is negative", o.Rate)
	}
	return nil
}

// collect takes in all outcomes until the channel is closed.
func collect(o LoadOptions, outcomes <-chan outcome) LoadResult {
	result := LoadResult{Failed: map[int]int{}}
	over := 0
	for out := range outcomes {
		over++
		if out.status == 200 {
			result.Done++
			result.Latencies = append(result.Latencies, out.latency)
		} else {
			result.Failed[out.status]++
			if result.FirstError == nil {
				result.FirstError = out.err
			}
		}
		if o.Answer != nil && out.status != 0 {
			o.Answer(out.event, out.status, out.body)
		}
		if o.Progress != nil {
			o.Progress(over)
		}
	}
	return result
}

// pace waits until event i is due and says whether to go on.
func pace(ctx context.Context, start time.Time, i int, rate float64) bool {
	if rate > 0 {
		due := time.NewTimer(time.Until(start.Add(time.Duration(float64(i) / rate * float64(time.Second)))))
		defer due.Stop()
		select {
		case <-due.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}
