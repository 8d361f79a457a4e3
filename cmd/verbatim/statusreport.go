package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// statusReport is a status as it is printed. What is nil or empty is not known.
type statusReport struct {
	LogID             string            `json:"log_id"`
	Serving           bool              `json:"serving"`
	Writable          *bool             `json:"writable,omitempty"`
	NotWritableReason string            `json:"not_writable_reason,omitempty"`
	Profile           string            `json:"profile,omitempty"`
	Position          string            `json:"position,omitempty"`
	Ordering          string            `json:"ordering,omitempty"`
	Newest            *uint64           `json:"newest_offset,omitempty"`
	ChainRoot         string            `json:"chain_root,omitempty"`
	Checkpoint        *statusCheckpoint `json:"checkpoint,omitempty"`
	OpenRequests      *uint64           `json:"open_requests,omitempty"`
	InFlight          *uint64           `json:"in_flight_bytes,omitempty"`
	InFlightLimit     *uint64           `json:"in_flight_limit_bytes,omitempty"`
	Lost              uint64            `json:"lost_exchanges"`
	LossesFrom        *uint64           `json:"losses_from_offset,omitempty"`
	Losses            []statusLoss      `json:"losses"`
	Alarm             string            `json:"anchor_alarm,omitempty"`
}

type statusCheckpoint struct {
	ID       uint64 `json:"id"`
	Offset   uint64 `json:"offset"`
	Root     string `json:"root"`
	Sealed   moment `json:"sealed_at,omitzero"`
	Anchored *bool  `json:"anchored,omitempty"`
}

type statusLoss struct {
	Witness   string `json:"witness"`
	Reason    string `json:"reason"`
	Exchanges uint64 `json:"exchanges"`
	Since     moment `json:"since,omitzero"`
	Until     moment `json:"until,omitzero"`
	// A Gap entry of the log says so.
	Recorded bool `json:"recorded"`
}

func newStatusReport(r *auditv1.GetStatusResponse, serving bool) *statusReport {
	s := &statusReport{
		LogID: hex.EncodeToString(r.GetLogId()), Serving: serving, Losses: []statusLoss{}, Alarm: r.GetAnchor().GetAlarm(),
		Profile: settingOf(r.GetProfile()), Ordering: settingOf(r.GetOrdering()), Position: settingOf(r.GetPosition()),
	}
	if s.Profile != "" && s.Position == "" {
		s.Position = "downstream" // which is what a Start that says none means
	}
	if serving {
		s.Writable, s.NotWritableReason = &r.Writable, r.GetNotWritableReason()
		s.InFlight, s.InFlightLimit = &r.InFlightBytes, &r.InFlightLimitBytes
	}
	if len(r.GetChainRoot()) > 0 {
		newest := r.GetEntries() - 1
		s.Newest, s.ChainRoot, s.OpenRequests, s.LossesFrom = &newest, hex.EncodeToString(r.GetChainRoot()), &r.OpenRequests, &r.Losses.FromOffset
	}
	if c := r.GetNewestCheckpoint(); c != nil {
		s.Checkpoint = &statusCheckpoint{c.GetCheckpointId(), c.GetStreamOffset(), hex.EncodeToString(c.GetRoot()), atMS(c.GetWallClockMs()), c.Anchored}
	}
	s.add(r.GetLosses().GetRecorded(), true)
	s.add(r.GetLosses().GetUnrecorded(), false)
	return s
}

func (s *statusReport) add(losses []*auditv1.Loss, recorded bool) {
	for _, l := range losses {
		s.Lost += l.GetExchanges()
		s.Losses = append(s.Losses, statusLoss{
			l.GetWitness(), l.GetReason(), l.GetExchanges(), atMS(l.GetSinceMs()), atMS(l.GetUntilMs()), recorded,
		})
	}
}

// moment is a time that RFC 3339 need not have: a wall clock can be set to anything, and
// whoever forges a log can write anything.
type moment struct{ time.Time }

// IsZero says that JSON leaves it out, which has no other form for it.
func (m moment) IsZero() bool { return m.Year() < 0 || m.Year() > 9999 }

func atMS(ms uint64) moment { return moment{time.UnixMilli(int64(ms)).UTC()} }

// settingOf is an enum's value as the configuration writes it; empty: none.
func settingOf(e interface {
	Descriptor() protoreflect.EnumDescriptor
	Number() protoreflect.EnumNumber
}) string {
	if e.Number() == 0 {
		return ""
	}
	return strings.ReplaceAll(fmt.Sprint(enumJSON(e.Descriptor(), e.Number())), "_", "-")
}

func (s *statusReport) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	p := &printer{w: w}
	p.line("log              %s", s.LogID)
	if s.Serving {
		p.line("serving          yes")
	} else {
		p.line("serving          no process writes it now")
	}
	if s.Profile != "" {
		p.line("profile          %s, position %s, ordering %s", s.Profile, s.Position, s.Ordering)
	} else {
		p.line("profile          none: nothing was recorded yet")
	}
	if s.Newest != nil {
		p.line("newest entry     offset %d, root %s", *s.Newest, s.ChainRoot)
		p.line("checkpoint       %s", s.Checkpoint)
		p.line("open requests    %d", *s.OpenRequests)
	}
	if s.InFlight != nil {
		p.line("in flight        %d of %d bytes", *s.InFlight, *s.InFlightLimit)
	}
	s.writeLosses(p)
	if s.NotWritableReason != "" {
		p.line("NOT WRITABLE     %s", s.NotWritableReason)
	}
	if s.Alarm != "" {
		p.line("ALARM            %s", s.Alarm)
	}
	return p.err
}

// String is the newest checkpoint in words.
func (c *statusCheckpoint) String() string {
	if c == nil {
		return "none: nothing is sealed yet"
	}
	anchored := "published nowhere"
	switch {
	case c.Anchored != nil && *c.Anchored:
		anchored = "anchored"
	case c.Anchored != nil:
		anchored = "not anchored yet"
	}
	return fmt.Sprintf("%d at offset %d, root %s, sealed at %s, %s", c.ID, c.Offset, c.Root, c.Sealed.Format(time.RFC3339), anchored)
}

func (s *statusReport) writeLosses(p *printer) {
	total := "none is known"
	if s.Lost > 0 {
		total = fmt.Sprintf("%d exchanges at least passed unrecorded", s.Lost)
	}
	switch {
	case s.LossesFrom == nil:
		total += ", beside those that the log tells of"
	case *s.LossesFrom > 0:
		total += fmt.Sprintf(", from offset %d on: what is before it is pruned", *s.LossesFrom)
	}
	p.line("losses           %s", total)
	for _, l := range s.Losses {
		untold := ""
		if !l.Recorded {
			untold = "; not in the log yet"
		}
		p.line("  %-14s %d, %s to %s: %s%s", l.Witness, l.Exchanges, l.Since.Format(time.RFC3339), l.Until.Format(time.RFC3339), l.Reason, untold)
	}
}
