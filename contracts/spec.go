package contracts

import "github.com/stellar/go-stellar-sdk/xdr"

// field is a named value: a function's input, a structure's field, an event's topic or value.
type field struct {
	name        string
	kind        xdr.ScSpecTypeDef
	description string
}

// doc is the same field with a description.
func (f field) doc(description string) field {
	f.description = description
	return f
}

// Types without parameters.
var (
	u32     = xdr.ScSpecTypeDef{Type: xdr.ScSpecTypeScSpecTypeU32}
	u64     = xdr.ScSpecTypeDef{Type: xdr.ScSpecTypeScSpecTypeU64}
	address = xdr.ScSpecTypeDef{Type: xdr.ScSpecTypeScSpecTypeAddress}
	nothing = xdr.ScSpecTypeDef{Type: xdr.ScSpecTypeScSpecTypeVoid}
)

func bytesN(n xdr.Uint32) xdr.ScSpecTypeDef {
	return xdr.ScSpecTypeDef{Type: xdr.ScSpecTypeScSpecTypeBytesN, BytesN: &xdr.ScSpecTypeBytesN{N: n}}
}

func option(of xdr.ScSpecTypeDef) xdr.ScSpecTypeDef {
	return xdr.ScSpecTypeDef{Type: xdr.ScSpecTypeScSpecTypeOption, Option: &xdr.ScSpecTypeOption{ValueType: of}}
}

// defined is a type that the interface defines itself.
func defined(name string) xdr.ScSpecTypeDef {
	return xdr.ScSpecTypeDef{Type: xdr.ScSpecTypeScSpecTypeUdt, Udt: &xdr.ScSpecTypeUdt{Name: name}}
}

func function(name, doc string, output xdr.ScSpecTypeDef, inputs ...field) xdr.ScSpecEntry {
	f := &xdr.ScSpecFunctionV0{Name: xdr.ScSymbol(name), Doc: doc}
	for _, in := range inputs {
		f.Inputs = append(f.Inputs, xdr.ScSpecFunctionInputV0{Name: in.name, Type: in.kind, Doc: in.description})
	}
	// A function without a result has no output, rather than one of type Void.
	if output != nothing {
		f.Outputs = []xdr.ScSpecTypeDef{output}
	}
	return xdr.ScSpecEntry{Kind: xdr.ScSpecEntryKindScSpecEntryFunctionV0, FunctionV0: f}
}

func structure(name, doc string, fields ...field) xdr.ScSpecEntry {
	s := &xdr.ScSpecUdtStructV0{Name: name, Doc: doc}
	for _, f := range fields {
		s.Fields = append(s.Fields, xdr.ScSpecUdtStructFieldV0{Name: f.name, Type: f.kind, Doc: f.description})
	}
	return xdr.ScSpecEntry{Kind: xdr.ScSpecEntryKindScSpecEntryUdtStructV0, UdtStructV0: s}
}

// tupleCase is a case of a union that has values.
type tupleCase struct {
	name   string
	values []xdr.ScSpecTypeDef
}

func union(name, doc string, cases ...tupleCase) xdr.ScSpecEntry {
	u := &xdr.ScSpecUdtUnionV0{Name: name, Doc: doc}
	for _, c := range cases {
		u.Cases = append(u.Cases, xdr.ScSpecUdtUnionCaseV0{
			Kind:      xdr.ScSpecUdtUnionCaseV0KindScSpecUdtUnionCaseTupleV0,
			TupleCase: &xdr.ScSpecUdtUnionCaseTupleV0{Name: c.name, Type: c.values},
		})
	}
	return xdr.ScSpecEntry{Kind: xdr.ScSpecEntryKindScSpecEntryUdtUnionV0, UdtUnionV0: u}
}

// errorEnum has the name Error: Stellar's tools look the names of error numbers up under it.
func errorEnum() xdr.ScSpecEntry {
	e := &xdr.ScSpecUdtErrorEnumV0{Name: "Error"}
	for i, c := range errorCases {
		e.Cases = append(e.Cases, xdr.ScSpecUdtErrorEnumCaseV0{Name: c.name, Doc: c.sentence, Value: xdr.Uint32(i + 1)})
	}
	return xdr.ScSpecEntry{Kind: xdr.ScSpecEntryKindScSpecEntryUdtErrorEnumV0, UdtErrorEnumV0: e}
}

// event has a fixed first topic, a second one, and a map of values.
func event(name, topic string, second field, values ...field) xdr.ScSpecEntry {
	param := func(f field, where xdr.ScSpecEventParamLocationV0) xdr.ScSpecEventParamV0 {
		return xdr.ScSpecEventParamV0{Name: f.name, Type: f.kind, Doc: f.description, Location: where}
	}
	e := &xdr.ScSpecEventV0{
		Name:         xdr.ScSymbol(name),
		PrefixTopics: []xdr.ScSymbol{xdr.ScSymbol(topic)},
		Params:       []xdr.ScSpecEventParamV0{param(second, xdr.ScSpecEventParamLocationV0ScSpecEventParamLocationTopicList)},
		DataFormat:   xdr.ScSpecEventDataFormatScSpecEventDataFormatMap,
	}
	for _, v := range values {
		e.Params = append(e.Params, param(v, xdr.ScSpecEventParamLocationV0ScSpecEventParamLocationData))
	}
	return xdr.ScSpecEntry{Kind: xdr.ScSpecEntryKindScSpecEntryEventV0, EventV0: e}
}
