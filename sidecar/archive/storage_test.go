package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"
)

// failing is a storage that answers everything with an error, of which its driver says
// what it means.
type failing struct {
	driver.Bucket
	err  error
	code gcerrors.ErrorCode
}

func (f failing) Attributes(context.Context, string) (*driver.Attributes, error) { return nil, f.err }
func (f failing) ListPaged(context.Context, *driver.ListOptions) (*driver.ListPage, error) {
	return nil, f.err
}
func (f failing) NewRangeReader(context.Context, string, int64, int64, *driver.ReaderOptions) (driver.Reader, error) {
	return nil, f.err
}
func (f failing) Close() error                       { return f.err }
func (f failing) ErrorCode(error) gcerrors.ErrorCode { return f.code }

// TestWhatNobodyCanKnowIsNotMissing: an object whose storage does not tell is not said
// to be missing, whatever the driver takes that for.
func TestWhatNobodyCanKnowIsNotMissing(t *testing.T) {
	for name, c := range map[string]struct {
		err     error
		missing bool
	}{
		"not there":     {errors.New("404"), true},
		"gone":          {&googleapi.Error{Code: http.StatusNotFound}, true},
		"not permitted": {fmt.Errorf("read: %w", &googleapi.Error{Code: http.StatusForbidden}), false},
		"no such host":  {fmt.Errorf("read: %w", &net.DNSError{Err: "no such host", IsNotFound: true}), false},
	} {
		b := &Bucket{bucket: blob.NewBucket(failing{err: c.err, code: gcerrors.NotFound})}
		if _, err := b.manifest(t.Context(), 0, nil); err == nil || errors.Is(err, ErrMissing) != c.missing {
			t.Errorf("%s: %v", name, err)
		}
		if c.missing {
			continue
		}
		if _, err := b.keepSynced(t.Context(), "k", nil); !errors.Is(err, c.err) {
			t.Errorf("%s, before it is written: %v", name, err)
		}
	}
}

// TestAStoragesErrorHasNoCredentials: as they are in the URLs of Azure's requests.
func TestAStoragesErrorHasNoCredentials(t *testing.T) {
	cause := &url.Error{Op: "Get", URL: "https://a.example/b?prefix=x&sig=s3cret%2F&se=s3cret", Err: io.ErrUnexpectedEOF}
	b := &Bucket{bucket: blob.NewBucket(failing{err: fmt.Errorf("list: %w", cause), code: gcerrors.Unknown}), name: "azblob://b"}
	_, newest := b.Newest(t.Context(), nil)
	_, manifest := b.manifest(t.Context(), 0, nil)
	for _, err := range []error{newest, manifest, b.Close()} {
		if text := fmt.Sprint(err); strings.Contains(text, "s3cret") || !strings.Contains(text, `Get "https://a.example/b": unexpected EOF`) {
			t.Errorf("%s", text)
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v is not what it was", err)
		}
	}
}

// TestNoErrorShowsWhatAClientWasGiven: by the environment, or by what it asked.
func TestNoErrorShowsWhatAClientWasGiven(t *testing.T) {
	for text, want := range map[string]string{
		`parse "https://a.blob.core.windows.net?sv=1&sig=s3cret\n": net/url: invalid control character in URL`: `parse "https://a.blob.core.windows.net": net/url: invalid control character in URL`,
		"endpoint rule error, Custom endpoint `http://u:s3cr%zzs3cret@h:1` was not a valid URI":                "endpoint rule error, Custom endpoint `http://...@h:1` was not a valid URI",
		`Get "https://u:s3/cr@s3cret@h/b?x=1": EOF`:                                                            `Get "https://...@h/b": EOF`,
		"parse failed of process output: Key: s3cret\n, error: invalid character 'K'":                          "parse failed of process output: ..., error: invalid character 'K'",
	} {
		opened := redact(errors.New(text), &url.URL{Scheme: "azblob", Host: "b"})
		b := &Bucket{bucket: blob.NewBucket(failing{err: errors.New(text), code: gcerrors.Unknown})}
		_, read := b.manifest(t.Context(), 0, nil)
		for _, err := range []error{opened, read} {
			if got := fmt.Sprint(err); !strings.HasSuffix(got, want) || strings.Contains(got, "s3cret") {
				t.Errorf("%s", got)
			}
		}
	}
}
