package admin_test

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

const password = "Bearer very-secret-indeed"

// withSecret is a request that carries a credential.
func withSecret(meters ...string) *logv1.Event {
	ev := request(meters...)
	ev.GetRequest().Headers = []*logv1.Header{
		{Name: []byte(":path"), Value: []byte("/readings")},
		{Name: []byte("Authorization"), Value: []byte(password)},
	}
	return ev
}

func offsets(list []*auditv1.QueryEntriesResponse) []uint64 {
	var got []uint64
	for _, e := range list {
		got = append(got, e.GetStreamOffset())
	}
	return got
}

func TestEntriesAreSelected(t *testing.T) {
	s := serve(t, nil)
	var a, b []uint64
	for range 8 {
		o := put(t, s.log, request("a"))
		a = append(a, o, put(t, s.log, response(o)))
		o = put(t, s.log, request("b", "c"))
		b = append(b, o, put(t, s.log, response(o)))
	}
	reversed := func(list []uint64) []uint64 {
		list = slices.Clone(list)
		slices.Reverse(list)
		return list
	}
	newest := auditv1.Order_ORDER_NEWEST_FIRST
	out, err := proto.Marshal(&logv1.Output{Status: 503})
	if err != nil {
		t.Fatal(err)
	}
	last := put(t, s.log, request("d"))
	put(t, s.log, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: last, Output: out}}})
	either := slices.Sorted(slices.Values(slices.Concat(a, b)))
	for name, c := range map[string]struct {
		request *auditv1.QueryEntriesRequest
		want    []uint64
	}{
		"offsets": {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{StartOffset: new(uint64(3)), EndOffset: new(uint64(5))}}, []uint64{3, 4, 5}},
		"meter":   {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{MeterIds: []string{"a"}}}, a},
		"meters":  {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{MeterIds: []string{"c", "a", "b"}}}, either},
		"limit":   {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{MeterIds: []string{"b"}}, Limit: 3}, b[:3]},
		"times":   {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{FromMs: new(uint64(0)), ToMs: new(^uint64(0))}, Limit: 4}, []uint64{0, 1, 2, 3}},
		"none":    {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{MeterIds: []string{"nobody"}}}, nil},
		"first":   {&auditv1.QueryEntriesRequest{Limit: 2}, []uint64{0, 1}},
		"newest":  {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{MeterIds: []string{"a"}}, Order: newest}, reversed(a)},
		"oldest":  {&auditv1.QueryEntriesRequest{Limit: 1, Order: auditv1.Order_ORDER_OLDEST_FIRST}, []uint64{0}},
		"kinds":   {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{MeterIds: []string{"d", "a"}, Kinds: []string{"response", "genesis"}}, Order: newest, Limit: 2}, []uint64{last + 1, a[15]}},
		"status":  {&auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{Statuses: []string{"abort", "5xx"}}}, []uint64{last + 1}},
	} {
		got, err := all(s.client.QueryEntries(t.Context(), c.request))
		if err != nil || !slices.Equal(offsets(got), c.want) {
			t.Errorf("%s: %v, %v; want %v", name, offsets(got), err, c.want)
		}
	}
	_, err = all(s.client.QueryEntries(t.Context(), &auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{EndOffset: new(uint64(1000))}}))
	wantStatus(t, err, codes.OutOfRange, "select entry 1000: bound lies outside the log, which has the offsets 0 to 37")
	_, err = all(s.client.QueryEntries(t.Context(), &auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{StartOffset: new(uint64(2)), EndOffset: new(uint64(1))}}))
	wantStatus(t, err, codes.InvalidArgument, "selection contradicts itself: the start offset 2 is behind the end offset 1")
	for says, r := range map[string]*auditv1.QueryEntriesRequest{
		`read kinds: "answer" is no kind of event: there are genesis, start, request, response, request_part, response_part, abort, gap, checkpoint, prune`: {Selection: &auditv1.Selection{Kinds: []string{"answer"}}},
		`read statuses: "6" is no status: want a number from 100 on such as 503, a class such as 5xx, or abort`:                                             {Selection: &auditv1.Selection{Statuses: []string{"6"}}},
		"read order: there is none with the number 3":                        {Order: 3},
		`cursor does not fit: "x" is none that verbatim gave; copy it whole`: {Cursor: "x"},
	} {
		_, err := all(s.client.QueryEntries(t.Context(), r))
		wantStatus(t, err, codes.InvalidArgument, says)
	}
}

// A call that ended early is gone on with, on a log that has grown since.
func TestACallGoesOnAtItsCursor(t *testing.T) {
	s := serve(t, nil)
	var want, got []uint64
	for range 5 {
		want = append(want, put(t, s.log, request("a")))
		put(t, s.log, request("b"))
	}
	r := &auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{MeterIds: []string{"a"}}, Limit: 2}
	for range 4 {
		part, err := all(s.client.QueryEntries(t.Context(), r))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, offsets(part)...)
		r.Cursor = part[len(part)-1].GetCursor()
		if r.Limit = 0; len(want) < 7 {
			want = append(want, put(t, s.log, request("a")))
		}
		if len(got) == len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v; want %v", got, want)
	}
	r.Order = auditv1.Order_ORDER_NEWEST_FIRST
	_, err := all(s.client.QueryEntries(t.Context(), r))
	wantStatus(t, err, codes.InvalidArgument, "cursor does not fit: it goes on oldest first, and the selection is newest first")
}

func TestSecretsAreShownOnlyWhenAskedFor(t *testing.T) {
	s := serve(t, nil)
	put(t, s.log, withSecret("m"))
	hidden, err := all(s.client.QueryEntries(t.Context(), &auditv1.QueryEntriesRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := all(s.client.QueryEntries(t.Context(), &auditv1.QueryEntriesRequest{Reveal: true}))
	if err != nil || len(shown) != 2 || len(hidden) != 2 {
		t.Fatalf("%v, %v", shown, err)
	}
	for _, e := range hidden {
		if b, err := proto.Marshal(e); err != nil || bytes.Contains(b, []byte(password)) || e.GetRawEventBytes() != nil {
			t.Errorf("hidden: %v, %v", e, err)
		}
	}
	h := hidden[1].GetEvent().GetRequest().GetHeaders()
	if string(h[0].GetValue()) != "/readings" || string(h[1].GetValue()) != "[hidden]" {
		t.Errorf("hidden: %v", h)
	}
	prev := chain.Hash{}
	for i, e := range shown {
		hash := chain.EntryHash(prev, e.GetStreamOffset(), e.GetRawEventBytes())
		event := chain.EventHash(e.GetRawEventBytes())
		for j, same := range []*auditv1.QueryEntriesResponse{e, hidden[i]} {
			if !bytes.Equal(same.GetPrevEntryHash(), prev[:]) || !bytes.Equal(same.GetEntryHash(), hash[:]) || !bytes.Equal(same.GetEventHash(), event[:]) {
				t.Errorf("entry %d, %d: %v does not fit the chain", i, j, same)
			}
		}
		prev = hash
	}
	if v := shown[1].GetEvent().GetRequest().GetHeaders()[1].GetValue(); string(v) != password {
		t.Errorf("revealed: %q", v)
	}
}
