package archive

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// window bounds what a reader has to hold of what it has decoded already.
const window = 4 << 20

func newEncoder(w io.Writer) (*zstd.Encoder, error) {
	// One goroutine, so that the same entries always give the same object.
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return z, nil
}

// newDecoder reads one compressed body. It starts no goroutine.
func newDecoder(b []byte) (*zstd.Decoder, error) {
	z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return z, nil
}

// readExactly reads n bytes that a body says it has. Memory grows with what comes,
// not with what is claimed.
func readExactly(r io.Reader, n uint64) ([]byte, error) {
	if n <= 64<<10 {
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, fmt.Errorf("it ends too early: %w", err)
		}
		return b, nil
	}
	var b bytes.Buffer
	if n > maxOctets {
		return nil, fmt.Errorf("%d bytes are more than there can be", n)
	}
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		return nil, fmt.Errorf("it ends too early: %w", err)
	}
	return b.Bytes(), nil
}

// maxOctets is more than an event or a record can have, in bytes.
const maxOctets = 2 << 30

// atEnd says whether nothing follows.
func atEnd(r io.ByteReader) error {
	if _, err := r.ReadByte(); err == nil {
		return fmt.Errorf("more follows its end")
	} else if err != io.EOF { //nolint:errorlint // ReadByte gives io.EOF itself
		return fmt.Errorf("it ends badly: %w", err)
	}
	return nil
}
