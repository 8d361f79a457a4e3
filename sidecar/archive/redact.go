package archive

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// redact removes an archive's URL from an error's text, and what discreet does: the
// environment's SAS token is in the URL that Azure's client is made with.
func redact(err error, u *url.URL) error {
	text := discreet{err}.Error()
	for _, secret := range []string{u.String(), u.RawQuery} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "...")
		}
	}
	return errors.New(text)
}

// What a storage's client shows of a request, or of its own settings, that can be a
// credential.
var shown = []struct {
	pattern *regexp.Regexp
	instead string
}{
	// What stands behind the "?" of a URL: with Azure's shared access signatures it is one.
	{regexp.MustCompile(`(?i)(https?://[^\s"?]*)\?[^\s"]*`), "$1"},
	// A user and a password in a URL. A "/" in these makes it one that can't be read.
	{regexp.MustCompile(`(?i)(https?://)[^\s"]*@`), "$1...@"},
	// AWS's credential_process printed something else than the JSON that it should.
	{regexp.MustCompile(`(?s)(parse failed of process output: ).*(, error: )`), "$1...$2"},
}

// discreet is a storage's error, whose text has nothing that can be a credential.
type discreet struct{ error }

func (e discreet) Error() string {
	text := e.error.Error()
	for _, s := range shown {
		text = s.pattern.ReplaceAllString(text, s.instead)
	}
	return text
}
func (e discreet) Unwrap() error { return e.error }
