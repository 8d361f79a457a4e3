package archive

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// redact removes an archive's URL from an error's text.
func redact(err error, u *url.URL) error {
	text := err.Error()
	for _, secret := range []string{u.String(), u.RawQuery} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "...")
		}
	}
	return errors.New(text)
}

// queried is the URL of a request. What stands behind its "?" can be a credential: with
// Azure's shared access signatures it is.
var queried = regexp.MustCompile(`(?i)(https?://[^\s"?]*)\?[^\s"]*`)

// unqueried is a storage's error, whose text has no queries of the requests' URLs.
type unqueried struct{ error }

func (e unqueried) Error() string { return queried.ReplaceAllString(e.error.Error(), "$1") }
func (e unqueried) Unwrap() error { return e.error }
