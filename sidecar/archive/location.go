package archive

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"gocloud.dev/blob"
)

// IsURL tells an archive's URL from a directory.
func IsURL(s string) bool { return strings.Contains(s, "://") }

// CheckURL says in a sentence what is wrong with an archive's URL. It asks nobody.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

// Bucket is where one archive's objects are. Its methods are safe for use by several
// goroutines.
type Bucket struct {
	bucket  *blob.Bucket
	name    string
	limiter Limiter
	levels  int // folders that are the archive's own, its root included
}

// Open opens the archive's place. Its kind of storage must be linked into the
// program. limiter bounds all that passes; nil: no bound. Errors don't show what
// stands behind the "?" of the URL.
func Open(ctx context.Context, text string, limiter Limiter) (*Bucket, error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	b, err := blob.DefaultURLMux().OpenBucketURL(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", Location(text), redact(err, u))
	}
	levels := 1 + strings.Count(u.Query().Get("prefix"), "/")
	return &Bucket{bucket: b, name: Location(text), limiter: limiter, levels: levels}, nil
}

// Close ends the use of the place.
func (b *Bucket) Close() error {
	if err := b.bucket.Close(); err != nil {
		return fmt.Errorf("close archive %s: %w", b.name, discreet{err})
	}
	return nil
}

// Location is an archive's URL as it may be shown: without what stands behind the
// "?", but for the prefix.
func Location(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "of a URL that can't be read"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if prefix := u.Query().Get("prefix"); prefix != "" {
		shown.RawQuery = url.Values{"prefix": {prefix}}.Encode()
	}
	return shown.String()
}

// defaults say how a kind of storage is to be used, where the URL does not.
var defaults = map[string]map[string]string{
	// Written beside its place, so that it can be renamed into it, readable by the
	// owner alone, and no second file tells of it.
	"file": {"no_tmp_dir": "1", "metadata": "skip", "dir_file_mode": "0700"},
	// What is read is checked here, by its SHA-256.
	"s3": {"response_checksum_validation": "when_required"},
}

// parseURL also fills in the defaults.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("the archive's URL can't be read: want one such as s3://BUCKET?region=REGION, or file:///FOLDER")
	}
	if u.User != nil {
		return nil, errors.New("the archive's URL has a user in it: leave it out, credentials come from the environment")
	}
	if !blob.DefaultURLMux().ValidBucketScheme(u.Scheme) {
		return nil, fmt.Errorf("an archive can't be at %s://: want one of %s", u.Scheme, strings.Join(blob.DefaultURLMux().BucketSchemes(), "://, ")+"://")
	}
	q := u.Query()
	if prefix := q.Get("prefix"); prefix != "" && !strings.HasSuffix(prefix, "/") {
		return nil, fmt.Errorf("the archive's prefix %q does not end in /", prefix)
	}
	if u.Scheme == "gs" && (q.Has("grpc") || q.Has("zonal")) {
		return nil, errors.New("the archive's URL asks for Google's gRPC API: leave grpc and zonal out of it, HTTP is used here")
	}
	if u.Scheme == "file" && u.Host != "" && u.Host != "localhost" {
		return nil, fmt.Errorf("the archive's URL names a folder relative to another: write file:///%s%s with the whole path", u.Host, u.Path)
	}
	for name, value := range defaults[u.Scheme] {
		if !q.Has(name) {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u, nil
}
