package forger

import (
	"fmt"
	"testing"

	"verbatim/tests/forge"
)

func TestDump(t *testing.T) {
	s := newSite(t)
	h, err := forge.Read(s.honest.dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range h {
		switch {
		case x.Event.GetCheckpoint() != nil:
			fmt.Println(i, "CHECKPOINT", x.Event.GetCheckpoint().GetCheckpointId(), x.Event.GetCheckpoint().GetReason(), x.Event.GetCheckpoint().GetOpenRequests())
		case x.Event.GetStart() != nil:
			fmt.Println(i, "START", x.Event.GetStart().GetCheckpointKeys())
		case x.Event.GetGap() != nil, x.Event.GetAbort() != nil:
			fmt.Println(i, x.Event)
		case x.Event.GetRequest() != nil && i > 0 && h[i-1].Event.GetRequest() != nil:
			fmt.Println(i, "overlap")
		}
	}
	fmt.Println(len(h), s.honest.root)
	for _, f := range []string{"records"} {
		l, _ := forge.Stored(s.honest.dir, f)
		for _, r := range l {
			fmt.Printf("%q %d\n", r.Key, len(r.Value))
		}
	}
	v := s.judge(t, s.honest.dir)
	fmt.Printf("%q\n%q\n", v.found, v.text)
}
