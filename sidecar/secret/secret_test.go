package secret_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
	"verbatim/sidecar/secret"
)

const password = "TOPSECRET"

func credentials() []*logv1.Header {
	return []*logv1.Header{
		{Name: []byte("Authorization"), Value: []byte(password)},
		{Name: []byte("set-cookie"), Value: []byte("sid=" + password)},
		{Name: []byte("x-meter-id"), Value: []byte("meter-1")},
	}
}

// TestNoEventShowsCredentials: whatever place a header can stand in.
func TestNoEventShowsCredentials(t *testing.T) {
	c, err := output.Canonical(output.Message{Status: 200, Headers: credentials(), Trailers: credentials()}, output.DefaultIgnorePolicy())
	if err != nil {
		t.Fatal(err)
	}
	for name, ev := range map[string]*logv1.Event{
		"request":  {Kind: &logv1.Event_Request{Request: &logv1.Request{Headers: credentials(), Trailers: credentials()}}},
		"part":     {Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{Trailers: credentials()}}},
		"answer":   {Kind: &logv1.Event_ResponsePart{ResponsePart: &logv1.ResponsePart{Headers: credentials()}}},
		"response": {Kind: &logv1.Event_Response{Response: &logv1.Response{Output: c.Output}}},
		"ignored": {Kind: &logv1.Event_Response{Response: &logv1.Response{IgnoredHeaders: []*logv1.IgnoredHeader{
			{Name: []byte("cookie"), Value: []byte(password)}, {Name: []byte("date"), Value: []byte("meter-1")},
		}, Output: c.Output}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := proto.CloneOf(ev)
			shown, err := proto.Marshal(secret.Redacted(ev))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(shown), password) {
				t.Error("the credentials are shown")
			}
			if !strings.Contains(string(shown), "meter-1") {
				t.Error("other values are hidden, too")
			}
			if !proto.Equal(ev, before) {
				t.Error("the event itself was changed")
			}
		})
	}
}

func TestShownHidesInAnyCase(t *testing.T) {
	for _, name := range []string{"Cookie", "cookie", "PROXY-AUTHORIZATION"} {
		if got := secret.Shown(name, []byte(password)); got != "[hidden]" {
			t.Errorf("%s is shown as %q", name, got)
		}
	}
	if got := secret.Shown("x-other", []byte("plain\xff")); got != `"plain\xff"` {
		t.Errorf("a plain value is shown as %q", got)
	}
}
