package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
)

// costLimit bounds an evaluation in CEL's own unit: about one step, or ten bytes
// of text looked at. It suffices for some 7,000 readings under DefaultMeters or
// for a search through 500 kB of text. cel-go's count of the cost slows down with
// each element that a macro visits, so ten times as much could take seconds; a
// limit in time would make what is found depend on how busy the machine is.
const costLimit = 100_000

// rule is one compiled expression.
type rule struct {
	// setting is what the configuration calls it.
	setting string
	program cel.Program
}

func newEnv() (*cel.Env, error) {
	stringList := cel.ListType(cel.StringType)
	return cel.NewEnv(
		cel.OptionalTypes(),
		ext.Strings(),
		boundedText(),
		boundedFormat,
		cel.Variable("request.method", cel.StringType),
		cel.Variable("request.path", cel.StringType),
		cel.Variable("request.query", cel.MapType(cel.StringType, stringList)),
		cel.Variable("request.headers", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("request.body", cel.BytesType),
		cel.Variable("request.json", cel.DynType),
	)
}

// compile parses and checks text; yields says in words what type is needed when
// the expression's own will not do.
func compile(env *cel.Env, setting, text string, yields func(*cel.Type) (need string)) (*rule, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("%s: the expression is not valid UTF-8", setting)
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, issueError(setting, issues)
	}
	if need := yields(ast.OutputType()); need != "" {
		return nil, fmt.Errorf("%s: 1:1: the expression yields %s but must yield %s",
			setting, cel.FormatCELType(ast.OutputType()), need)
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimit))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return &rule{setting: setting, program: program}, nil
}

// issueError makes one sentence of the first thing that is wrong.
func issueError(setting string, issues *cel.Issues) error {
	errs := issues.Errors()
	if len(errs) == 0 {
		return fmt.Errorf("%s: %w", setting, issues.Err())
	}
	first := errs[0]
	message := strings.Join(strings.Fields(first.Message), " ")
	if strings.HasPrefix(message, "undeclared reference to 'request'") {
		message = "no such variable; there are request.method, request.path, request.query, " +
			"request.headers, request.body and request.json"
	}
	return fmt.Errorf("%s: %d:%d: %s", setting, first.Location.Line(), first.Location.Column()+1, message)
}

func (r *rule) eval(v *variables) (ref.Val, error) {
	val, _, err := r.program.Eval(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.setting, err)
	}
	return val, nil
}

// yieldsMeters accepts what can hold meter ids; dyn is looked at when it is there.
func yieldsMeters(t *cel.Type) string {
	t = withoutOptional(t)
	if t.Kind() == types.ListKind {
		t = withoutOptional(t.Parameters()[0])
	}
	switch t.Kind() {
	case types.StringKind, types.DynKind:
		return ""
	default:
		return "a string, a list of strings or dyn"
	}
}

func withoutOptional(t *cel.Type) *cel.Type {
	if t.Kind() == types.OpaqueKind && t.TypeName() == types.OptionalType.TypeName() {
		return t.Parameters()[0]
	}
	return t
}

func yieldsStream(t *cel.Type) string {
	if t.Kind() == types.BoolKind {
		return ""
	}
	return "bool"
}

func yieldsSkip(t *cel.Type) string {
	switch t.Kind() {
	case types.BoolKind, types.StringKind:
		return ""
	default:
		return "bool, or a string with the reason"
	}
}
