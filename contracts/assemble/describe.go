package main

import (
	"bytes"
	"fmt"

	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
	"verbatim/contracts/internal/wasm"
)

// describe appends the sections by which hosts and tools know a contract. Each is a row of XDR values without a frame.
func describe(module []byte) ([]byte, error) {
	for _, section := range []struct {
		name   string
		encode func() ([]byte, error)
	}{
		{"contractspecv0", func() ([]byte, error) { return encode(contracts.Interface()...) }},
		{"contractenvmetav0", func() ([]byte, error) { return encode(contracts.EnvMeta()) }},
		{"contractmetav0", func() ([]byte, error) { return encode(contracts.Meta()...) }},
	} {
		data, err := section.encode()
		if err != nil {
			return nil, fmt.Errorf("encode section %s: %w", section.name, err)
		}
		module = wasm.AppendCustom(module, section.name, data)
	}
	return module, nil
}

func encode[Entry any](entries ...Entry) ([]byte, error) {
	var data bytes.Buffer
	for i := range entries {
		if _, err := xdr.Marshal(&data, entries[i]); err != nil {
			return nil, err
		}
	}
	return data.Bytes(), nil
}
