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
		{Name: []byte("location"), Value: []byte("/?api_key=" + password)},
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
		"target": {Kind: &logv1.Event_Request{Request: &logv1.Request{Headers: []*logv1.Header{
			{Name: []byte(":path"), Value: []byte("/meter-1?api_key=" + password)},
		}}}},
		"request":  {Kind: &logv1.Event_Request{Request: &logv1.Request{Headers: credentials(), Trailers: credentials()}}},
		"part":     {Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{Trailers: credentials()}}},
		"answer":   {Kind: &logv1.Event_ResponsePart{ResponsePart: &logv1.ResponsePart{Headers: credentials()}}},
		"response": {Kind: &logv1.Event_Response{Response: &logv1.Response{Output: c.Output}}},
		"ignored": {Kind: &logv1.Event_Response{Response: &logv1.Response{IgnoredHeaders: []*logv1.IgnoredHeader{
			{Name: []byte("cookie"), Value: []byte(password)}, {Name: []byte("location"), Value: []byte("/?token=" + password)}, {Name: []byte("date"), Value: []byte("meter-1")},
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

func TestShown(t *testing.T) {
	for _, c := range []struct {
		name, value, want string
		hides             bool
	}{
		{name: "Cookie", value: password, want: "[hidden]", hides: true},
		{name: "PROXY-AUTHORIZATION", value: password, want: "[hidden]", hides: true},
		{name: "x-other", value: "plain\xff", want: `"plain\xff"`},
		{name: "x-other", value: "/a?token=b", want: "/a?token=b"},
		{name: ":path", value: "/series?api_key=" + password + "&host=a", want: "/series?api_key=[hidden]&host=a", hides: true},
		{name: "Location", value: "https://a/?sig=" + password + "#end", want: "https://a/?sig=[hidden]#end", hides: true},
		{name: ":path", value: "/series?host=\xff", want: `"/series?host=\xff"`},
	} {
		if got, hides := secret.Shown(c.name, []byte(c.value)); got != c.want || hides != c.hides {
			t.Errorf("%s: %q is shown as %q, hides: %v; want %q", c.name, c.value, got, hides, c.want)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, name := range []string{
		"authorization", "Proxy-Authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-amz-security-token",
		"x-forwarded-client-cert", "private-token", "JOB-TOKEN", "x-vault-token", "x-goog-api-key", "api-key", "apikey", "DD-API-KEY",
		"dd-application-key", "X-License-Key", "x-insert-key", "lightstep-access-token", "x-sf-token", "x-honeycomb-team",
		"ocp-apim-subscription-key", "x-functions-key", "x-hasura-admin-secret", "x-amzn-oidc-accesstoken", "x-goog-iap-jwt-assertion",
		"X_Password", "x-clientSecret",
	} {
		if !secret.Header(name) {
			t.Errorf("%s is shown", name)
		}
	}
	for _, name := range []string{
		"", "-", "content-type", "etag", "idempotency-key", "sec-websocket-key", "x-partition-key", "key", "x-request-id",
		"x-ratelimit-remaining-tokens", "x-hub-signature-256", "www-authenticate", "x-meter-id", ":path", ":authority", "traceparent",
	} {
		if secret.Header(name) {
			t.Errorf("%s is hidden", name)
		}
	}
}

func TestTarget(t *testing.T) {
	for target, want := range map[string]string{
		"/":           "/",
		"*":           "*",
		"/token=a":    "/token=a",
		"/a?":         "/a?",
		"/a?token":    "/a?token",
		"/a?token=":   "/a?token=[hidden]",
		"/a?&&b=c;":   "/a?&&b=c;",
		"/a?b=c?d=e":  "/a?b=c?d=e",
		"/a?key=1":    "/a?key=1",
		"/a?%zz=1":    "/a?%zz=1",
		"/a?#token=b": "/a?#token=b",

		"/write?db=a&u=b&p=c&password=d":                    "/write?db=a&u=b&p=[hidden]&password=[hidden]",
		"/list?p=2":                                         "/list?p=2",
		"https://a:b@c.example/d@e?f=g":                     "https://[hidden]@c.example/d@e?f=g",
		"/go/https://a:b@c.example/":                        "/go/https://a:b@c.example/",
		"/a?accessToken=b;c=d&X-Amz-Signature=e":            "/a?accessToken=[hidden];c=d&X-Amz-Signature=[hidden]",
		"/a?api%5Fkey=b=c&d=e":                              "/a?api%5Fkey=[hidden]&d=e",
		"https://a.example/b?sv=1&sig=c%2Fd#e":              "https://a.example/b?sv=1&sig=[hidden]#e",
		"/a?client_secret=b&client_id=c&grant_type=d&jwt=e": "/a?client_secret=[hidden]&client_id=c&grant_type=d&jwt=[hidden]",
	} {
		if got := secret.Target(target); got != want {
			t.Errorf("%s is shown as %s, want %s", target, got, want)
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, target := range []string{"/a?token=b&c=d", "https://a:b@c/d?u=e&p=f#g", "/?;&=?#@://", "[hidden]@"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		shown := secret.Target(target)
		if !strings.Contains(shown, "[hidden]") && shown != target {
			t.Errorf("%q became %q", target, shown)
		}
		if again := secret.Target(shown); again != shown {
			t.Errorf("%q became %q, and then %q", target, shown, again)
		}
	})
}
