package config

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// Ignore says what of a response is no output that a replay must give again.
type Ignore struct {
	// Headers are lower-case names.
	Headers []string `yaml:"headers"`
	// JSON are JSON Pointers, "*" being every element or member.
	JSON []string `yaml:"json"`
	// Protobuf are fields of protobuf bodies.
	Protobuf []ProtobufFields `yaml:"protobuf"`
	// Descriptors is the file with their types, a FileDescriptorSet; empty: none.
	Descriptors string `yaml:"descriptors"`
}

// ProtobufFields are fields of the answers to some requests.
type ProtobufFields struct {
	// Path of the requests, such as a gRPC method; empty: all methods that answer
	// with Message.
	Path string `yaml:"path"`
	// Message is the full name of the type; empty: the method's.
	Message string `yaml:"message"`
	// Fields are dotted paths of names.
	Fields []string `yaml:"fields"`
}

func defaultIgnore() Ignore {
	return Ignore{Headers: []string{"date", "x-request-id"}, JSON: []string{}, Protobuf: []ProtobufFields{}}
}

// LoadIgnore reads a file that holds what stands under "ignore" in a configuration,
// with the same defaults. Errors are like Load's.
func LoadIgnore(path string) (Ignore, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Ignore{}, fmt.Errorf("read ignore policy: %w; name a YAML file with headers, json, protobuf and descriptors", err)
	}
	i := defaultIgnore()
	if err := decode(b, &i, "policy"); err != nil {
		return Ignore{}, fmt.Errorf("%s: %w", path, err)
	}
	return i, nil
}

func (i *Ignore) bind(fs *pflag.FlagSet) {
	fs.StringSliceVar(&i.Headers, "ignore.headers", i.Headers, "response `headers` that a replay need not give again")
	fs.StringArrayVar(&i.JSON, "ignore.json", i.JSON, "JSON `pointer` to what it need not give again in JSON bodies, * being every element or member; may be given again")
	fs.Var((*protobufFields)(&i.Protobuf), "ignore.protobuf", "`path=field` that it need not give again in protobuf bodies: [path][,message]=field[,field]; may be given again")
	fs.StringVar(&i.Descriptors, "ignore.descriptors", i.Descriptors, "`file` with the types of protobuf bodies, a FileDescriptorSet")
}

// protobufFields is Ignore.Protobuf as a flag that may be given again.
type protobufFields []ProtobufFields

var (
	_ pflag.Value      = (*protobufFields)(nil)
	_ pflag.SliceValue = (*protobufFields)(nil)
)

// Set adds one.
func (p *protobufFields) Set(text string) error { return p.Append(text) }

// Append implements pflag.SliceValue. What does not begin with "/" is a message.
func (p *protobufFields) Append(text string) error {
	at := strings.LastIndexByte(text, '=')
	if at <= 0 || at == len(text)-1 {
		return fmt.Errorf("%q is not of the form path=field, message=field or path,message=field", text)
	}
	path, message := text[:at], ""
	if comma := strings.LastIndexByte(path, ','); comma >= 0 {
		path, message = path[:comma], path[comma+1:]
	} else if path[0] != '/' {
		path, message = "", path
	}
	*p = append(*p, ProtobufFields{Path: path, Message: message, Fields: strings.Split(text[at+1:], ",")})
	return nil
}

// Replace implements pflag.SliceValue.
func (p *protobufFields) Replace(texts []string) error {
	*p = protobufFields{}
	for _, text := range texts {
		if err := p.Append(text); err != nil {
			return err
		}
	}
	return nil
}

// GetSlice implements pflag.SliceValue.
func (p *protobufFields) GetSlice() []string {
	texts := make([]string, len(*p))
	for i, f := range *p {
		texts[i] = f.Path + "," + f.Message + "=" + strings.Join(f.Fields, ",")
	}
	return texts
}

// String implements pflag.Value.
func (p *protobufFields) String() string { return strings.Join(p.GetSlice(), " ") }

// Type implements pflag.Value.
func (p *protobufFields) Type() string { return "fields" }
