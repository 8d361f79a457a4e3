package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads a YAML file over the defaults. It does not call Validate: a setting
// that is missing here may come as a flag. Errors name the file, and of what the
// file says the line and the key.
func Load(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w; name a YAML file with --config, or give flags alone", err)
	}
	c, err := Parse(b)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Parse is Load for what a file holds: one YAML document or nothing.
func Parse(b []byte) (Config, error) {
	c := Default()
	if err := decode(b, &c, "configuration"); err != nil {
		return Config{}, err
	}
	c.lowerNames()
	return c, nil
}

// decode reads one YAML document, or nothing, over what into holds.
func decode(b []byte, into any, what string) error {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return explain(b, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		if err != nil {
			return explain(b, err)
		}
		return fmt.Errorf("more than one YAML document; one file holds one %s", what)
	}
	return nil
}

// explain makes one sentence of the first thing that the decoder complains of.
func explain(b []byte, err error) error {
	var all *yaml.TypeError
	if !errors.As(err, &all) || len(all.Errors) == 0 {
		message := strings.TrimPrefix(err.Error(), "yaml: ")
		return errors.New(strings.Join(strings.Fields(message), " "))
	}
	return complain(keysOf(b), all.Errors[0])
}
