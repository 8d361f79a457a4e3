package admin_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/retention"
)

// octets is a codec for messages that are bytes already.
type octets struct{}

func (octets) Name() string { return "proto" }

func (octets) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (octets) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// methods are all of AuditService's, in the order of their names.
func methods() []string {
	var names []string
	for _, m := range auditv1.AuditService_ServiceDesc.Methods {
		names = append(names, m.MethodName)
	}
	for _, s := range auditv1.AuditService_ServiceDesc.Streams {
		names = append(names, s.StreamName)
	}
	slices.Sort(names)
	return names
}

// ask sends octets to a method and returns what it answers, at most so many messages.
func (s *sidecar) ask(ctx context.Context, method string, request []byte, most int) (answers [][]byte, err error) {
	stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true},
		"/verbatim.audit.v1.AuditService/"+method, grpc.ForceCodecV2(octets{}))
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(&request); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	for len(answers) < most {
		var answer []byte
		if err := stream.RecvMsg(&answer); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return answers, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// blamed are the codes of what is wrong with a request; all others blame the sidecar or its log.
var blamed = []codes.Code{
	codes.OK, codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition, codes.NotFound,
}

// FuzzRequest sends any octets to any method. What can't be read as its message is
// refused as such; what can is answered, or refused in a sentence for a reason that lies
// in the request. The log stays as it is, and what only reads answers the same again.
func FuzzRequest(f *testing.F) {
	names := methods()
	seed := func(method string, m proto.Message) {
		raw, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(slices.Index(names, method)), raw)
	}
	for i := range names {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{0xff})
	}
	two, big := uint64(2), uint64(1)<<63
	var keeper *retention.Worker
	s := serve(f, func(o *admin.Options) { keeper = o.Retention })
	keep(f, keeper)
	id := s.log.ID()
	seed("QueryEntries", &auditv1.QueryEntriesRequest{Limit: 3, Order: auditv1.Order_ORDER_NEWEST_FIRST, Reveal: true, Selection: &auditv1.Selection{
		StartOffset: &two, EndOffset: &big, MeterIds: []string{"m"}, FromMs: &two, ToMs: &big, Kinds: []string{"request"}, Statuses: []string{"5xx", "abort"},
	}})
	seed("QueryEntries", &auditv1.QueryEntriesRequest{Limit: 3, Order: auditv1.Order_ORDER_NEWEST_FIRST, Reveal: true, Selection: &auditv1.Selection{
		StartOffset: &two, MeterIds: []string{"m0", "m1"}, Kinds: []string{"request", "response"},
	}})
	seed("QueryEntries", &auditv1.QueryEntriesRequest{Limit: 5})
	seed("QueryEntries", &auditv1.QueryEntriesRequest{Order: 7, Cursor: "x"})
	seed("ListCheckpoints", &auditv1.ListCheckpointsRequest{FromId: 1})
	seed("ReplayAuditLog", &auditv1.AuditReplayRequest{Target: "http://127.0.0.1:1", All: true})
	seed("AddHold", &auditv1.AddHoldRequest{LogId: id[:], Hold: &retentionv1.Hold{Reason: "r", Scope: &retentionv1.Hold_Range{Range: &retentionv1.Range{From: 3, To: 2}}}})
	seed("AddHold", &auditv1.AddHoldRequest{LogId: id[:], Hold: &retentionv1.Hold{Reason: "r", Scope: &retentionv1.Hold_All{}}})
	seed("RemoveHold", &auditv1.RemoveHoldRequest{LogId: id[:], Id: "none"})
	seed("PruneNow", &auditv1.PruneNowRequest{LogId: id[:1]})
	seed("PruneNow", &auditv1.PruneNowRequest{LogId: id[:]})
	seed("ForeseePrune", &auditv1.ForeseePruneRequest{LogId: id[:]})

	for i := range uint64(3 * interval) {
		at := put(f, s.log, request(fmt.Sprint("m", i%3)))
		if i%2 == 0 {
			put(f, s.log, response(at))
		}
	}
	whole := s.tip(f)
	f.Fuzz(func(t *testing.T, method uint8, raw []byte) {
		name := names[int(method)%len(names)]
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		most := 1000 // more than there are
		if name == "HoldSnapshot" {
			most = 1 // it sends no more, and does not end
		}
		answers, err := s.ask(ctx, name, raw, most)
		checkAnswer(t, name, raw, answers, err)
		if name == "AddHold" && err == nil {
			s.unhold(t, answers[0])
		}
		if now := s.tip(t); now != whole {
			t.Errorf("%s changed the log: its newest entry was %d, and is %d", name, whole, now)
		}
		if name != "QueryEntries" && name != "ListCheckpoints" {
			return
		}
		again, errAgain := s.ask(ctx, name, raw, most)
		if status.Code(err) != status.Code(errAgain) || !slices.EqualFunc(answers, again, bytes.Equal) {
			t.Errorf("%s: %d answers, %v, and then %d, %v", name, len(answers), err, len(again), errAgain)
		}
	})
}

// keep runs a worker until the test ends.
func keep(f *testing.F, w *retention.Worker) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	f.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// unhold takes a hold away that was added.
func (s *sidecar) unhold(t *testing.T, answer []byte) {
	t.Helper()
	var added auditv1.AddHoldResponse
	if err := proto.Unmarshal(answer, &added); err != nil {
		t.Fatal(err)
	}
	id := s.log.ID()
	if _, err := s.client.RemoveHold(t.Context(), &auditv1.RemoveHoldRequest{LogId: id[:], Id: added.GetHold().GetId()}); err != nil {
		t.Errorf("hold %v was added, and not removed: %v", added.GetHold(), err)
	}
}

// tip is the offset of the newest entry.
func (s *sidecar) tip(t testing.TB) uint64 {
	t.Helper()
	v, err := s.log.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	return v.Tip().Offset
}

// checkAnswer wants a reason in the request for each refusal, and of a query no more than
// was asked for, in its order.
func checkAnswer(t *testing.T, method string, raw []byte, answers [][]byte, err error) {
	t.Helper()
	refusal := status.Convert(err)
	if refusal.Code() == codes.Internal && strings.Contains(refusal.Message(), "unmarshal") {
		return // no message at all, says gRPC
	}
	if !slices.Contains(blamed, refusal.Code()) || strings.Contains(refusal.Message(), "\n") {
		t.Errorf("%s is refused with %s: %q", method, refusal.Code(), refusal.Message())
	}
	var q auditv1.QueryEntriesRequest
	if method != "QueryEntries" || err != nil || proto.Unmarshal(raw, &q) != nil {
		return
	}
	if limit := q.GetLimit(); limit > 0 && uint64(len(answers)) > limit {
		t.Errorf("%d entries, at most %d were wanted", len(answers), limit)
	}
	var last uint64
	for i, answer := range answers {
		var e auditv1.QueryEntriesResponse
		if err := proto.Unmarshal(answer, &e); err != nil {
			t.Fatal(err)
		}
		at := e.GetStreamOffset()
		if q.GetOrder() == auditv1.Order_ORDER_NEWEST_FIRST {
			at = ^at
		}
		if i > 0 && at <= last {
			t.Errorf("entry %d is out of its order", e.GetStreamOffset())
		}
		if len(e.GetRawEventBytes()) > 0 != q.GetReveal() {
			t.Errorf("entry %d is revealed: %v", e.GetStreamOffset(), len(e.GetRawEventBytes()) > 0)
		}
		last = at
	}
}

// FuzzHTTP sends any octets to the port: what is answered is HTTP and no failure of the
// sidecar, and the next caller is served.
func FuzzHTTP(f *testing.F) {
	for _, seed := range []string{
		"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", "GET /metrics?x=%zz HTTP/1.0\r\n\r\n", "POST /readyz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"POST /verbatim.audit.v1.AuditService/GetStatus HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\x00\x00\x00\x00\x00\r\n0\r\n\r\n",
		"GET //../livez HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x16\x03\x01",
	} {
		f.Add([]byte(seed))
	}
	s := serve(f, nil)
	f.Fuzz(func(t *testing.T, raw []byte) {
		answer := s.exchange(t, raw)
		if bytes.HasPrefix(raw, []byte("PRI * HTTP/2.0\r\n\r\n")) {
			answer = nil // frames
		}
		for r := bufio.NewReader(bytes.NewReader(answer)); ; {
			if _, err := r.Peek(1); errors.Is(err, io.EOF) {
				break
			}
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				return // an answer to HEAD has no body, and the next begins where one is expected
			}
			if resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented && resp.StatusCode != http.StatusHTTPVersionNotSupported {
				t.Errorf("answered with %s", resp.Status)
			}
			_, err = io.Copy(io.Discard, resp.Body)
			if resp.Body.Close() != nil || err != nil {
				return
			}
		}
		if !bytes.HasPrefix(answer, []byte("HTTP/1.")) && len(answer) > 0 {
			t.Errorf("answered with %q, which is no HTTP", answer)
		}
		if got := s.exchange(t, []byte("GET /livez HTTP/1.0\r\n\r\n")); !bytes.HasPrefix(got, []byte("HTTP/1.0 200 OK\r\n")) {
			t.Errorf("the next caller got %q", got)
		}
	})
}

// exchange sends octets on a connection of their own, and returns all that comes back.
func (s *sidecar) exchange(t *testing.T, raw []byte) []byte {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatalf("%T is no TCP connection", conn)
	}
	// The other end may have closed by then.
	if _, err := tcp.Write(raw); err == nil {
		_ = tcp.CloseWrite()
	}
	answer, _ := io.ReadAll(tcp)
	return answer
}
