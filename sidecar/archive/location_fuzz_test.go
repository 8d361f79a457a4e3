package archive

import (
	"net/url"
	"strings"
	"testing"

	_ "gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/memblob"
)

// FuzzLocation: of an archive's URL only the place is shown, and what is shown is the
// same place. One that is refused is refused without what stands behind the "?".
func FuzzLocation(f *testing.F) {
	for _, seed := range []string{
		"file:///a/b?prefix=x/&metadata=s3cret", "mem://", "mem://?prefix=a", "file://host/a", "s3://b?s3cret=%zz", "mem://u:s3cret@b/", "mem:s3cret", "%", "mem://a/?prefix=%2F&prefix=b/#s3cret",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := Location(text)
		if again := Location(shown); strings.Contains(shown, "://") && again != shown {
			t.Errorf("%q is shown as %q, and that as %q", text, shown, again)
		}
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		const secret = "s3cret"
		inPlace := strings.Contains(u.Scheme+u.Host+u.Path+u.Query().Get("prefix"), secret)
		if !inPlace && strings.Contains(shown, secret) {
			t.Errorf("%q is shown as %q", text, shown)
		}
		if err := CheckURL(text); err != nil && (!inPlace && strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q is refused with %q", text, err)
		}
	})
}
