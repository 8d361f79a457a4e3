package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"golang.org/x/net/http2"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

const (
	controlWAL    = "/log/db/000004.log"
	controlSocket = "socket:[1]"
)

// hexed is a string as strace -xx prints it.
func hexed(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

func tracedWrite(file, data string) string {
	return fmt.Sprintf("7 write(3<%s>, %s, %d) = %d\n", hexed(file), `"`+hexed(data)+`"`, len(data), len(data))
}

func tracedSync(file, result string) string {
	return fmt.Sprintf("7 fdatasync(3<%s>) = %s\n", hexed(file), result)
}

// tracedReply is a reply on stream 1 as the socket gets it.
func tracedReply(t *testing.T, r *extprocv3.ProcessingResponse) string {
	t.Helper()
	message, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var frame bytes.Buffer
	if err := http2.NewFramer(&frame, nil).WriteData(1, false, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)); err != nil {
		t.Fatal(err)
	}
	return tracedWrite(controlSocket, frame.String())
}

// TestReleaseChecker gives the checker traces of one exchange in right and in
// wrong orders.
func TestReleaseChecker(t *testing.T) {
	request := &recorded{
		request:  auditlog.Entry{Offset: 2, Raw: []byte("the request's entry")},
		response: auditlog.Entry{Offset: 3, Raw: []byte("the answer's entry")},
		sent:     &logv1.Request{Headers: []*logv1.Header{{Name: []byte(seedHeader), Value: []byte("42")}}},
	}
	block := strings.Repeat("-", walBlock-10) // ends 10 octets before the block's end
	walRequest, walAnswer := tracedWrite(controlWAL, "-------the request's entry"), tracedWrite(controlWAL, "the answer's entry")
	releaseRequest := tracedReply(t, &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestBody{
		RequestBody: &extprocv3.BodyResponse{Response: &extprocv3.CommonResponse{HeaderMutation: &extprocv3.HeaderMutation{
			SetHeaders: []*corev3.HeaderValueOption{{Header: &corev3.HeaderValue{Key: seedHeader, RawValue: []byte("42")}}},
		}}},
	}})
	releaseAnswer := tracedReply(t, &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: &extprocv3.BodyResponse{}}})
	sync := tracedSync(controlWAL, "0")
	unfinished := strings.TrimSuffix(sync, ") = 0\n") + " <unfinished ...>\n"
	const resumed = "7 <... fdatasync resumed>) = 0\n"
	requested := walRequest + sync + releaseRequest
	for name, c := range map[string]struct {
		trace []string
		want  string // the one violation, if any
	}{
		"in order":                     {[]string{requested, walAnswer, sync, releaseAnswer}, ""},
		"one sync for both":            {[]string{walRequest, walAnswer, sync, releaseRequest, releaseAnswer}, ""},
		"request before its sync":      {[]string{walRequest, releaseRequest, sync, walAnswer, sync, releaseAnswer}, "request 2: released on line 2, durable on line 3"},
		"answer before its sync":       {[]string{requested, walAnswer, releaseAnswer, sync}, "response 3: released on line 5, durable on line 6"},
		"answer while the sync runs":   {[]string{requested, walAnswer, unfinished, strings.Replace(releaseAnswer, "7", "8", 1), resumed}, "response 3: released on line 6, durable on line 7"},
		"sync began before the write":  {[]string{requested, unfinished, strings.Replace(walAnswer, "7", "8", 1), resumed, releaseAnswer}, "response 3: it was never synced"},
		"sync failed":                  {[]string{requested, walAnswer, tracedSync(controlWAL, "-1 EIO (Input/output error)"), releaseAnswer}, "response 3: it was never synced"},
		"another file synced":          {[]string{requested, walAnswer, tracedSync("/log/db/000005.log", "0"), releaseAnswer}, "response 3: it was never synced"},
		"half of it behind the sync":   {[]string{requested, tracedWrite(controlWAL, "the answ"), sync, tracedWrite(controlWAL, "er's entry"), releaseAnswer}, "response 3: it was never synced"},
		"never written":                {[]string{requested, sync, releaseAnswer}, "response 3: it is in no WAL"},
		"never released":               {[]string{requested, walAnswer, sync}, "response 3: no reply released it"},
		"across two blocks":            {[]string{tracedWrite(controlWAL, block+"the reques-------t's entry"), sync, releaseRequest, walAnswer, sync, releaseAnswer}, ""},
		"second block behind the sync": {[]string{tracedWrite(controlWAL, block+"the reques"), sync, tracedWrite(controlWAL, "-------t's entry"), releaseRequest, walAnswer, sync, releaseAnswer}, "request 2: released on line 4, durable on line 6"},
		"WAL written at a position":    {[]string{strings.Replace(walRequest, "write", "pwrite64", 1)}, "the WAL is written by pwrite64, which this check does not understand"},
	} {
		t.Run(name, func(t *testing.T) {
			calls, _, err := parseStrace(strings.Join(c.trace, ""))
			if err != nil {
				t.Fatal(err)
			}
			_, violations := checkReleases(calls, []*recorded{request})
			if c.want == "" && len(violations) > 0 || c.want != "" && (len(violations) != 1 || violations[0].Error() != c.want) {
				t.Errorf("violations %v, want %q", violations, c.want)
			}
		})
	}
}
