package retention

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/auditlog"
)

// ErrNoHold says that there is no hold with an id.
var ErrNoHold = errors.New("no such hold")

// idLength is how many characters a hold's id has, of 32: enough to be its own for
// ever, and short enough to be typed.
const idLength = 10

// AddHoldSynced returns after the hold, with an id of its own, is durable: from then
// on nothing goes that it protects. first is the first offset that was still there:
// what the hold would have protected before it is gone. Errors: ErrHold; after
// another one the hold may be there all the same.
func (w *Worker) AddHoldSynced(ctx context.Context, h *retentionv1.Hold) (added *retentionv1.Hold, first uint64, err error) {
	if err := checkHold(h); err != nil {
		return nil, 0, fmt.Errorf("add hold: %w", err)
	}
	added = proto.CloneOf(h)
	added.Id, added.AddedMs = strings.ToLower(rand.Text()[:idLength]), uint64(w.o.Clock.Now().UnixMilli())
	r, err := record(holdKey(added.GetId()), added)
	if err != nil {
		return nil, 0, fmt.Errorf("add hold: %w", err)
	}
	w.holding.Lock()
	defer w.holding.Unlock()
	if err := w.log.KeepSynced(ctx, r); err != nil {
		return nil, 0, fmt.Errorf("add hold: %w; look with verbatim hold list whether it is there", err)
	}
	// A cut that was made before is seen here; none is made while we hold the lock.
	v, err := w.log.View()
	if err != nil {
		return nil, 0, fmt.Errorf("add hold: %w; look with verbatim hold list whether it is there", err)
	}
	defer v.Close()
	w.o.Logger.Info("hold added", "id", added.GetId(), "scope", Scope(added), "reason", added.GetReason())
	return added, v.First(), nil
}

// RemoveHoldSynced returns the hold after it is durably gone. Errors: ErrNoHold;
// after another one it may be gone all the same.
func (w *Worker) RemoveHoldSynced(ctx context.Context, id string) (*retentionv1.Hold, error) {
	w.holding.Lock()
	defer w.holding.Unlock()
	v, err := w.log.View()
	if err != nil {
		return nil, fmt.Errorf("remove hold %s: %w", id, err)
	}
	defer v.Close()
	h := &retentionv1.Hold{}
	found, err := read(v, holdKey(id), h)
	if err == nil && !found {
		err = ErrNoHold
	}
	if err == nil {
		err = w.log.KeepSynced(ctx, auditlog.Record{Key: holdKey(id)})
	}
	if err != nil {
		return nil, fmt.Errorf("remove hold %s: %w", id, err)
	}
	w.o.Logger.Info("hold removed", "id", id, "scope", Scope(h), "reason", h.GetReason())
	return h, nil
}
