package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// interval is short, so that few entries make several windows.
const interval = 8

func create(dir string, out words) error {
	id, err := auditlog.Create(dir, auditlog.Origin{Interval: interval})
	if err != nil {
		out.say("refused create: %v", err)
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	out.say("created %s", id)
	return nil
}

// record writes a session. If not closing, it returns with entries that no
// checkpoint seals and a request without an outcome.
func record(ctx context.Context, dir string, closing bool, out words) error {
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		out.say("refused open: %v", err)
		return errRefused
	}
	w := &writer{l, out}
	if err := w.session(ctx); err != nil {
		return err
	}
	if !closing {
		return nil
	}
	return w.close(ctx)
}

func (w *writer) close(ctx context.Context) error {
	if err := w.log.Close(ctx); err != nil {
		w.say("refused close: %v", err)
		return errRefused
	}
	w.say("closed")
	return nil
}

// writer appends to a log and goes on after what is refused, as capture does.
type writer struct {
	log *auditlog.Log
	words
}

// session writes entries of all kinds, about four windows of them.
func (w *writer) session(ctx context.Context) error {
	steps := []func(context.Context) error{
		w.start, w.exchange("meter-1"), w.exchange("meter-2", "meter-1"), w.keep("receipt/1"), w.stream,
		w.together, w.abort, w.gap, w.snapshot, w.keep("receipt/2"), w.exchange("meter-3"), w.together, w.keep("receipt/1"),
		w.unanswered, w.exchange("meter-2"),
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) start(ctx context.Context) error {
	_, err := w.put(ctx, &logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "boot"}}})
	return err
}

func (w *writer) gap(ctx context.Context) error {
	w.log.Skip("health")
	_, err := w.put(ctx, &logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 3, Reason: "fail open"}}})
	return err
}

func request(meters ...string) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
		MeterIds: meters, HasBody: true, Body: body(),
		Headers: []*logv1.Header{{Name: []byte(":method"), Value: []byte("POST")}},
	}}}
}

// body is of a size at which entries are most of a log, and does not compress.
func body() []byte {
	octets := make([]byte, 1<<10)
	rand.Read(octets)
	return octets
}

func response(to uint64) *logv1.Event {
	output, err := proto.Marshal(&logv1.Output{Status: 200 + uint32(to%3), HasBody: true, Body: fmt.Append(nil, "answer to ", to)})
	if err != nil {
		panic(err) // it can be marshalled
	}
	return &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: to, Output: output}}}
}

func (w *writer) exchange(meters ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		offset, err := w.put(ctx, request(meters...))
		if err != nil {
			return err
		}
		return w.offer(ctx, response(offset))
	}
}

func (w *writer) stream(ctx context.Context) error {
	offset, err := w.put(ctx, request("meter-4"))
	if err != nil {
		return err
	}
	for i := range uint64(2) {
		sent := &logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{RequestOffset: offset, Data: []byte{byte(i)}}}}
		got := &logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: &logv1.ResponsePart{RequestOffset: offset, Data: []byte{byte(i)}}}}
		if err := errors.Join(w.offer(ctx, sent), w.offer(ctx, got)); err != nil {
			return err
		}
	}
	return w.offer(ctx, response(offset))
}

func (w *writer) abort(ctx context.Context) error {
	offset, err := w.put(ctx, request("meter-5"))
	if err != nil {
		return err
	}
	return w.offer(ctx, &logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{
		RequestOffset: offset, Delivered: logv1.Delivered_DELIVERED_MAYBE, Reason: "reset",
	}}})
}

func (w *writer) unanswered(ctx context.Context) error {
	_, err := w.put(ctx, request("meter-6"))
	return err
}

// together appends requests of which some wait in one batch.
func (w *writer) together(ctx context.Context) error {
	var pending []*draft
	for i := range 4 {
		d, err := w.append(request(fmt.Sprintf("meter-%d", i)))
		if err != nil {
			return err
		}
		pending = append(pending, d)
	}
	for _, d := range pending {
		offset, err := d.wait(ctx)
		if errors.Is(err, auditlog.ErrNotWritable) {
			continue
		}
		if err != nil {
			return err
		}
		if err := w.offer(ctx, response(offset)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) keep(key string) func(context.Context) error {
	return func(ctx context.Context) error {
		value := fmt.Appendf(nil, "kept under %s at %d", key, time.Now().UnixNano())
		w.say("keeping %s %x", key, value)
		for {
			err := w.log.KeepSynced(ctx, auditlog.Record{Key: []byte(key), Value: value})
			if err == nil {
				w.say("kept %s %x", key, value)
				return nil
			}
			if err := w.refused(ctx, "record", err); err != nil {
				return err
			}
		}
	}
}

// snapshot may fail: whoever wanted it is told.
func (w *writer) snapshot(context.Context) error {
	dir, err := w.log.Snapshot()
	if err == nil {
		err = auditlog.RemoveSnapshot(dir)
	}
	if err != nil {
		w.say("refused snapshot: %v", err)
	}
	return nil
}

// put appends an event until it is durable.
func (w *writer) put(ctx context.Context, ev *logv1.Event) (uint64, error) {
	for {
		d, err := w.append(ev)
		if err != nil {
			return 0, err
		}
		offset, err := d.wait(ctx)
		if err == nil {
			return offset, nil
		}
		if err := w.refused(ctx, "entry", err); err != nil {
			return 0, err
		}
	}
}

// offer appends an event once: an outcome that was refused is closed by the log.
func (w *writer) offer(ctx context.Context, ev *logv1.Event) error {
	d, err := w.append(ev)
	if err != nil {
		return err
	}
	if _, err := d.wait(ctx); err != nil {
		return w.refused(ctx, "entry", err)
	}
	return nil
}

// refused waits until the log can be written again.
func (w *writer) refused(ctx context.Context, what string, err error) error {
	w.say("refused %s: %v", what, err)
	if !errors.Is(err, auditlog.ErrNotWritable) {
		return err
	}
	return w.writable(ctx)
}

// writable waits until the log can be written, and read.
func (w *writer) writable(ctx context.Context) error {
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		v, err := w.log.View()
		if err == nil {
			v.Close()
			err = w.log.Writable()
		}
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until the log is writable: %w", err)
		}
	}
}

// draft is an event that was appended and may not be durable yet.
type draft struct {
	w       *writer
	event   []byte
	pending *auditlog.Pending
}

func (w *writer) append(ev *logv1.Event) (*draft, error) {
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		return nil, err
	}
	return &draft{w, bytes.Clone(d.Event), w.log.Append(d)}, nil
}

// wait says what was acknowledged: the entry, by what must be stored for it, and
// the root that a reader has then.
func (d *draft) wait(ctx context.Context) (uint64, error) {
	placed, err := d.pending.Wait(ctx)
	if err != nil {
		return 0, err
	}
	raw := protowire.AppendVarint(protowire.AppendTag(d.event, 1, protowire.VarintType), placed.ClockMS)
	d.w.say("entry %d %s", placed.Offset, chain.EventHash(raw))
	if body := d.body(); len(body) > 0 {
		d.w.say("octets %d %x", placed.Offset, body[:min(len(body), 32)])
	}
	if v, err := d.w.log.View(); err == nil {
		d.w.say("root %d %s", v.Tip().Offset, v.Tip().Hash)
		v.Close()
	}
	return placed.Offset, nil
}

// body is a request's; nil of other events.
func (d *draft) body() []byte {
	var ev logv1.Event
	if err := proto.Unmarshal(d.event, &ev); err != nil {
		panic(err) // it was marshalled here
	}
	return ev.GetRequest().GetBody()
}
