package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	signednote "golang.org/x/mod/sumdb/note"

	"verbatim/sidecar"
	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
)

func archiveCommand() *cobra.Command {
	var dir, to, key string
	var rate int64
	c := &cobra.Command{
		Use:   "archive --log DIR --to URL [--rate BYTES] [--key FILE]",
		Args:  flagsAlone,
		Short: "Bring what is sealed to object storage",
		Long: `Brings the sealed windows of a log, and what proves them elsewhere (receipts,
signed checkpoints), to a folder or a bucket, once: what is there already is not
sent again, what was interrupted goes on. Every link is checked before, every
object is read back and compared after it. Nothing there is ever replaced or
removed. The log may be in use; verbatim serve archives by itself (archive.url).

URL: file:///FOLDER, s3://BUCKET?region=REGION, gs://BUCKET, azblob://CONTAINER;
prefix=NAME/ behind the "?" gives each log its own place. Credentials come from
where the storage's own tools find them, never from the URL.

With --key, a key of verbatim key new, the manifest that names all is signed.

` + exitCodes,
		Example: `  verbatim archive --log DIR --to 's3://audit?region=eu-central-1&prefix=site-7/' --rate 10000000
  verbatim verify --log 's3://audit?region=eu-central-1&prefix=site-7/'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rate < 0 {
				return fmt.Errorf("--rate %d: want bytes a second, 0 for any number", rate)
			}
			signers, err := archiveSigners(key)
			if err != nil {
				return err
			}
			return archiveOnce(cmd.Context(), cmd.OutOrStdout(), dir, to, rate, signers)
		},
	}
	c.AddCommand(archiveRestoreCommand())
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	c.Flags().StringVar(&to, "to", "", "the archive's `URL`")
	c.Flags().Int64Var(&rate, "rate", 0, "the most `bytes` that go up or come back in a second; 0: any number")
	c.Flags().StringVar(&key, "key", "", "`file` with the key that signs manifests, of verbatim key new")
	require(c, "log", "to")
	return c
}

func archiveOnce(ctx context.Context, w io.Writer, dir, to string, rate int64, signers []signednote.Signer) (err error) {
	bucket, err := archive.Open(ctx, to, archive.NewLimiter(rate))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	v, _, done, err := openLog(ctx, dir)
	if err != nil {
		return err
	}
	defer done()
	s, err := archive.New(archive.Options{
		Bucket: bucket, Prefixes: sidecar.ArchivedRecords(), Signers: signers,
		View: func() (*auditlog.View, func(), error) { return v, func() {}, nil },
	}).Once(ctx)
	if errors.Is(err, archive.ErrEmpty) {
		return printLine(w, "nothing is sealed yet: nothing to archive")
	}
	if err != nil {
		return err
	}
	return printStanding(w, "archived", s)
}

// printStanding says how far an archive reaches.
func printStanding(w io.Writer, what string, s archive.Standing) error {
	p := &printer{w: w}
	p.line("%-16s offsets %d to %d, of log %s", what, s.First, s.Through.Offset, s.LogID)
	if s.First > 0 {
		p.line("not in it        offsets 0 to %d: the log was pruned before, as the prune entry at %d says", s.First-1, s.Pruned)
	}
	p.line("archive          %s", s.Location)
	p.line("manifest         %d, SHA-256 %s", s.Manifest, s.Digest)
	signed := "by nobody whose signature was checked"
	if s.SignedBy != "" {
		signed = "by " + s.SignedBy
	}
	p.line("signed           %s", signed)
	p.line("root             %s, of checkpoint %d", s.Through.Root, s.Through.CheckpointID)
	return p.err
}

// archiveSigners reads the key that signs manifests; none if no file is named.
func archiveSigners(path string) ([]signednote.Signer, error) {
	if path == "" {
		return nil, nil
	}
	k, err := checkpoint.KeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	return []signednote.Signer{k.Signer()}, nil
}
