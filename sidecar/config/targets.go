package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// targets is Replay.Targets as a flag that may be given again. It adds to what
// the command line said before and, as Resolve copies it whole, replaces what the
// file says.
type targets map[string]Target

var (
	_ pflag.Value      = (*targets)(nil)
	_ pflag.SliceValue = (*targets)(nil)
)

// Set adds one target.
func (t *targets) Set(text string) error { return t.Append(text) }

// Append implements pflag.SliceValue.
func (t *targets) Append(text string) error {
	name, rest, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("%s is not of the form name=URL or name=URL,image", shown(text))
	}
	url, image, _ := strings.Cut(rest, ",")
	if *t == nil {
		*t = make(targets)
	}
	(*t)[name] = Target{URL: url, Image: image}
	return nil
}

// Replace implements pflag.SliceValue.
func (t *targets) Replace(texts []string) error {
	*t = nil
	for _, text := range texts {
		if err := t.Append(text); err != nil {
			return err
		}
	}
	return nil
}

// GetSlice implements pflag.SliceValue, by ascending name.
func (t *targets) GetSlice() []string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(*t)) {
		text := name + "=" + (*t)[name].URL
		if image := (*t)[name].Image; image != "" {
			text += "," + image
		}
		texts = append(texts, text)
	}
	return texts
}

// String implements pflag.Value.
func (t *targets) String() string { return strings.Join(t.GetSlice(), " ") }

// Type implements pflag.Value.
func (t *targets) Type() string { return "targets" }
