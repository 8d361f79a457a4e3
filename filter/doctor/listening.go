package doctor

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// Listening returns the addresses, host:port, on which this machine's TCP sockets
// listen, from /proc/net; nil where there is none. Sockets of other network
// namespaces are not seen.
func Listening() ([]string, error) {
	var list []string
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list sockets: %w", err)
		}
		found, err := listening(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("list sockets in %s: %w", path, err)
		}
		list = append(list, found...)
	}
	return list, nil
}

// stateListen is TCP_LISTEN as proc(5) prints it.
const stateListen = "0A"

func listening(r io.Reader) (list []string, err error) {
	lines := bufio.NewScanner(r)
	lines.Scan() // names of columns
	for lines.Scan() {
		columns := strings.Fields(lines.Text())
		if len(columns) < 4 || columns[3] != stateListen {
			continue
		}
		address, err := parseSocket(columns[1])
		if err != nil {
			return nil, err
		}
		list = append(list, address.String())
	}
	return list, lines.Err()
}

// parseSocket reads an address as the kernel prints it: words of 32 bits in the
// machine's order, then the port.
func parseSocket(text string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(text, ":")
	octets, err := hex.DecodeString(host)
	if !ok || err != nil || len(octets)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("read socket address %q", text)
	}
	for i := 0; i < len(octets); i += 4 {
		binary.NativeEndian.PutUint32(octets[i:], binary.BigEndian.Uint32(octets[i:]))
	}
	ip, ok := netip.AddrFromSlice(octets)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("read socket address %q", text)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), nil
}
