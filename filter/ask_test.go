package filter_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"verbatim/filter"
)

// TestAskShowsNoPassword: whatever is wrong with Envoy's address, or its answer.
func TestAskShowsNoPassword(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, admin := range []string{
		strings.Replace(s.URL, "://", "://u:s3cret@", 1), "http://u:s3cret@127.0.0.1:1", "http://u:s3cret%zz@h", "http://u:s3cret@h:x",
	} {
		if _, err := filter.Ask(t.Context(), client, admin, "/stats", 100); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", admin, err)
		}
	}
}
