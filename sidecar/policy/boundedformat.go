package policy

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// scalarText is about how long a number, a time or a truth value is as text, in bytes.
// The library bounds the precision of a number, to 100 digits.
const scalarText = 24

// maxCopied is how many bytes may be copied while a text is made: the library makes a
// map's values texts of their own before they go into the map's, level by level.
const maxCopied = 10 * maxText

var errNoFormat = errors.New("CEL's strings library has no function format")

// boundedFormat makes the library's function format fail before it makes a text that is
// too long, of lists that name one text many times. It comes behind that library.
func boundedFormat(e *cel.Env) (*cel.Env, error) {
	library, err := formatOf(e)
	if err != nil {
		return nil, err
	}
	return cel.Function("format", cel.MemberOverload("string_format",
		[]*cel.Type{cel.StringType, cel.ListType(cel.DynType)}, cel.StringType,
		cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			if (&measure{}).of(args[0])+(&measure{}).of(args[1]) > maxText {
				return tooLong()
			}
			return library(args...)
		})))(e)
}

// formatOf is the library's own.
func formatOf(e *cel.Env) (functions.FunctionOp, error) {
	overloads, err := e.Functions()["format"].Bindings()
	if err != nil {
		return nil, fmt.Errorf("find CEL's format: %w", err)
	}
	for _, o := range overloads {
		if o.Operator == "string_format" && o.Function != nil {
			return o.Function, nil
		}
	}
	return nil, errNoFormat
}

// measure finds about how long a value is as text, in bytes. It looks no further once
// that is too long.
type measure struct {
	seen   int // of all values
	copied int // by the library
}

func (m *measure) of(v ref.Val) int {
	size := 0
	switch v := v.(type) {
	case types.String:
		size = len(v)
		m.seen += size
	case types.Bytes:
		size = len(v)
		m.seen += size
	case traits.Mapper:
		for it := v.Iterator(); !m.over() && it.HasNext() == types.True; {
			key := it.Next()
			value, _ := v.Find(key)
			size += m.of(key) + m.of(value) + len(": , ")
		}
		m.copied += size
	case traits.Lister:
		for it := v.Iterator(); !m.over() && it.HasNext() == types.True; {
			size += m.of(it.Next()) + len(", ")
		}
	default:
		size = scalarText
		m.seen += size
	}
	if m.over() {
		return maxText + 1
	}
	return size
}

func (m *measure) over() bool { return m.seen > maxText || m.copied > maxCopied }
