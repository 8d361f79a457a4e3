package capture_test

import (
	"bytes"
	"os"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/encoding/protowire"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/output"
)

// TestWhatIsIgnoredInABodyStandsBesideTheOutput: a Reading of meter "m" and 1 sample,
// without the meter's id. The rule goes by the path of the request.
func TestWhatIsIgnoredInABodyStandsBesideTheOutput(t *testing.T) {
	for _, profile := range []logv1.Profile{logv1.Profile_PROFILE_STRICT, logv1.Profile_PROFILE_OBSERVE} {
		t.Run(profile.String(), func(t *testing.T) { ignoredInABody(t, profile) })
	}
}

func ignoredInABody(t *testing.T, profile logv1.Profile) {
	descriptors, err := os.ReadFile("../output/testdata/api/meters.binpb")
	if err != nil {
		t.Fatal(err)
	}
	rules := output.IgnoreRules{
		Protobuf:    []output.ProtobufRule{{Path: "/v1/readings", Message: "meters.v1.Reading", Fields: []string{"meter_id"}}},
		Descriptors: descriptors,
	}
	r := newRig(t, func(o *capture.Options) {
		o.Profile = profile
		if o.Ignore, err = rules.Compile(); err != nil {
			t.Fatal(err)
		}
	})
	id := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "m")
	sample := protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), nil)
	x := r.begin()
	say := func(m *extprocv3.ProcessingRequest) { x.ask(m) }
	if profile == logv1.Profile_PROFILE_OBSERVE {
		say = x.send // nothing is replied to
	}
	say(requestHeaders(true))
	say(unsized("x", "1", "content-type", "application/x-protobuf", "content-length", "5"))
	say(responseBody(true, string(id)+string(sample)))
	response := r.events(3)[2].GetResponse()
	out, err := output.Decode(response.GetOutput())
	if err != nil || !bytes.Equal(out.GetBody(), sample) || headersOf(out.GetHeaders()) != "x=1;content-type=application/x-protobuf;" {
		t.Errorf("output %v, %v", out, err)
	}
	back, err := output.Restore(response)
	if err != nil || !bytes.Equal(back.Body, append(id, sample...)) || headersOf(back.Headers) != "x=1;content-type=application/x-protobuf;content-length=5;" {
		t.Errorf("restored %v, %v", back, err)
	}
	x.end()
}
