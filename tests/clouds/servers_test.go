package clouds

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// bucket is the name of the one bucket, or container, of a server.
const bucket = "audit"

// server is one that runs.
type server struct {
	address string // host:port
	// client is how a program finds an archive in the bucket, whose objects' names begin
	// with a prefix, at the server's address or at one that leads there: by a URL, as
	// gocloud.dev/blob takes it, and its environment.
	client func(address, prefix string) (url string, env map[string]string)
	stop   func()
}

// startGoogle starts a server for Google's API in this process.
func startGoogle(context.Context) (*server, error) {
	s, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1", PublicHost: "127.0.0.1", Writer: io.Discard})
	if err != nil {
		return nil, fmt.Errorf("start server for Google's API: %w", err)
	}
	s.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: bucket})
	return &server{
		address: strings.TrimPrefix(s.URL(), "http://"),
		client: func(address, prefix string) (string, map[string]string) {
			return "gs://" + bucket + "?prefix=" + prefix, map[string]string{"STORAGE_EMULATOR_HOST": address}
		},
		stop: s.Stop,
	}, nil
}

// What Azurite takes for its only account: it is in its documentation, and no secret.
const (
	account    = "devstoreaccount1"
	accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

var listens = regexp.MustCompile(`listens on http://(\S+)`)

// startMicrosoft starts Azurite, and returns when it takes connections.
func startMicrosoft(ctx context.Context) (*server, error) {
	ctx, cancel := context.WithCancel(ctx)
	program := exec.CommandContext(ctx, filepath.Join(root, ".build", "azurite", "node_modules", ".bin", "azurite-blob"),
		"--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck")
	program.Stderr = os.Stderr
	out, err := program.StdoutPipe()
	if err == nil {
		err = program.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start Azurite, which make clouds installs: %w", err)
	}
	lines := bufio.NewReader(out)
	s := &server{
		client: func(address, prefix string) (string, map[string]string) {
			return fmt.Sprintf("azblob://%s?prefix=%s&protocol=http&localemu=true&domain=%s", bucket, prefix, address),
				map[string]string{"AZURE_STORAGE_ACCOUNT": account, "AZURE_STORAGE_KEY": accountKey}
		},
		stop: func() {
			cancel()
			_, _ = io.Copy(io.Discard, lines) // until it has ended
			_ = program.Wait()                // killed
		},
	}
	if s.address, err = said(lines, listens); err == nil {
		err = createContainer(ctx, s.address)
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("start Azurite: %w", err)
	}
	return s, nil
}

// said reads until a line matches, and returns what it says.
func said(lines *bufio.Reader, want *regexp.Regexp) (string, error) {
	var all strings.Builder
	for {
		line, err := lines.ReadString('\n')
		if found := want.FindStringSubmatch(line); found != nil {
			return found[1], nil
		}
		all.WriteString(line)
		if err != nil {
			return "", errors.Join(fmt.Errorf("it ended, and said %q", all.String()), err)
		}
	}
}

func createContainer(ctx context.Context, address string) error {
	key, err := azblob.NewSharedKeyCredential(account, accountKey)
	if err != nil {
		return err
	}
	client, err := azblob.NewClientWithSharedKeyCredential("http://"+address+"/"+account, key, nil)
	if err != nil {
		return err
	}
	_, err = client.CreateContainer(ctx, bucket, nil)
	return err
}
