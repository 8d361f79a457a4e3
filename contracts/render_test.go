package contracts_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stellar/go-stellar-sdk/xdr"
)

// render writes a contract's description for people.
func render(t *testing.T, spec []xdr.ScSpecEntry, env []xdr.ScEnvMetaEntry, meta []xdr.ScMetaEntry) string {
	t.Helper()
	var b strings.Builder
	for _, e := range spec {
		switch e.Kind {
		case xdr.ScSpecEntryKindScSpecEntryFunctionV0:
			renderFunction(t, &b, e.MustFunctionV0())
		case xdr.ScSpecEntryKindScSpecEntryUdtStructV0:
			s := e.MustUdtStructV0()
			line(&b, "struct "+s.Name, s.Doc)
			for _, f := range s.Fields {
				line(&b, "  "+f.Name+": "+typeName(t, f.Type), f.Doc)
			}
		case xdr.ScSpecEntryKindScSpecEntryUdtUnionV0:
			u := e.MustUdtUnionV0()
			line(&b, "union "+u.Name, u.Doc)
			for _, c := range u.Cases {
				line(&b, "  "+c.TupleCase.Name+"("+typeNames(t, c.TupleCase.Type)+")", c.TupleCase.Doc)
			}
		case xdr.ScSpecEntryKindScSpecEntryUdtErrorEnumV0:
			u := e.MustUdtErrorEnumV0()
			line(&b, "error enum "+u.Name, u.Doc)
			for _, c := range u.Cases {
				line(&b, fmt.Sprintf("  %d %s", c.Value, c.Name), c.Doc)
			}
		case xdr.ScSpecEntryKindScSpecEntryEventV0:
			renderEvent(t, &b, e.MustEventV0())
		default:
			t.Errorf("unknown entry %v", e.Kind)
		}
	}
	for _, e := range env {
		v := e.MustInterfaceVersion()
		line(&b, fmt.Sprintf("interface version: protocol %d, pre-release %d", v.Protocol, v.PreRelease), "")
	}
	for _, e := range meta {
		line(&b, e.MustV0().Key+" = "+e.MustV0().Val, "")
	}
	return b.String()
}

func renderFunction(t *testing.T, b *strings.Builder, f xdr.ScSpecFunctionV0) {
	t.Helper()
	var inputs []string
	for _, in := range f.Inputs {
		inputs = append(inputs, in.Name+": "+typeName(t, in.Type))
	}
	output := ""
	if len(f.Outputs) > 0 {
		output = " -> " + typeNames(t, f.Outputs)
	}
	line(b, "fn "+string(f.Name)+"("+strings.Join(inputs, ", ")+")"+output, f.Doc)
}

func renderEvent(t *testing.T, b *strings.Builder, e xdr.ScSpecEventV0) {
	t.Helper()
	var topics, data []string
	for _, topic := range e.PrefixTopics {
		topics = append(topics, `"`+string(topic)+`"`)
	}
	for _, p := range e.Params {
		text := p.Name + ": " + typeName(t, p.Type)
		if p.Location == xdr.ScSpecEventParamLocationV0ScSpecEventParamLocationTopicList {
			topics = append(topics, text)
		} else {
			data = append(data, text)
		}
	}
	if e.DataFormat != xdr.ScSpecEventDataFormatScSpecEventDataFormatMap {
		t.Errorf("the data of event %s are not a map", e.Name)
	}
	line(b, fmt.Sprintf("event %s [%s] {%s}", e.Name, strings.Join(topics, ", "), strings.Join(data, ", ")), e.Doc)
}

func line(b *strings.Builder, text, doc string) {
	if doc != "" {
		text += " // " + doc
	}
	fmt.Fprintln(b, text)
}

func typeName(t *testing.T, d xdr.ScSpecTypeDef) string {
	t.Helper()
	switch d.Type {
	case xdr.ScSpecTypeScSpecTypeU32:
		return "u32"
	case xdr.ScSpecTypeScSpecTypeU64:
		return "u64"
	case xdr.ScSpecTypeScSpecTypeAddress:
		return "Address"
	case xdr.ScSpecTypeScSpecTypeBytesN:
		return fmt.Sprintf("BytesN<%d>", d.BytesN.N)
	case xdr.ScSpecTypeScSpecTypeOption:
		return "Option<" + typeName(t, d.Option.ValueType) + ">"
	case xdr.ScSpecTypeScSpecTypeUdt:
		return d.Udt.Name
	}
	t.Errorf("unknown type %v", d.Type)
	return ""
}

func typeNames(t *testing.T, types []xdr.ScSpecTypeDef) string {
	t.Helper()
	var names []string
	for _, d := range types {
		names = append(names, typeName(t, d))
	}
	return strings.Join(names, ", ")
}
