package policy

import (
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// maxText is how long a text can get, in bytes, by functions that put one into another
// many times. A longer one costs more than costLimit in any case, but CEL counts the
// cost of a call when it was made: half a megabyte of commas with a header for each
// would have taken gigabytes.
const maxText = 10 * costLimit

// boundedText makes the functions replace and join of CEL's strings library fail before
// they make a text that is too long. It comes behind that library.
func boundedText() cel.EnvOption {
	text, list := cel.StringType, cel.ListType(cel.StringType)
	replaceAll := cel.FunctionBinding(func(args ...ref.Val) ref.Val { return replaced(args, -1) })
	replaceSome := cel.FunctionBinding(func(args ...ref.Val) ref.Val {
		n, _ := args[3].(types.Int)
		return replaced(args, int(n))
	})
	join := cel.UnaryBinding(func(list ref.Val) ref.Val { return joined(list, types.String("")) })
	replace := cel.Function("replace",
		cel.MemberOverload("string_replace_string_string", []*cel.Type{text, text, text}, text, replaceAll),
		cel.MemberOverload("string_replace_string_string_int", []*cel.Type{text, text, text, cel.IntType}, text, replaceSome))
	joins := cel.Function("join",
		cel.MemberOverload("list_join", []*cel.Type{list}, text, join),
		cel.MemberOverload("list_join_string", []*cel.Type{list, text}, text, cel.BinaryBinding(joined)))
	return func(e *cel.Env) (*cel.Env, error) {
		e, err := replace(e)
		if err != nil {
			return nil, err
		}
		return joins(e)
	}
}

// replaced is the first argument with n of the second replaced by the third, all of them
// for a negative n.
func replaced(args []ref.Val, n int) ref.Val {
	str, _ := args[0].(types.String)
	what, _ := args[1].(types.String)
	by, _ := args[2].(types.String)
	times := strings.Count(string(str), string(what))
	if n >= 0 {
		times = min(times, n)
	}
	if len(str)+times*(len(by)-len(what)) > maxText {
		return tooLong()
	}
	return types.String(strings.Replace(string(str), string(what), string(by), n))
}

// joined is the texts of a list with a separator between them.
func joined(list, separator ref.Val) ref.Val {
	texts, _ := list.(traits.Lister)
	between, _ := separator.(types.String)
	var b strings.Builder
	for it := texts.Iterator(); it.HasNext() == types.True; {
		next, ok := it.Next().(types.String)
		if !ok {
			return types.NewErr("join: not all of the list are texts")
		}
		if b.Len()+len(between)+len(next) > maxText {
			return tooLong()
		}
		b.WriteString(string(next))
		if it.HasNext() == types.True {
			b.WriteString(string(between))
		}
	}
	return types.String(b.String())
}

func tooLong() ref.Val {
	return types.NewErr("the text would be longer than %d bytes", maxText)
}
