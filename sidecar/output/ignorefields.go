package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// compileProtobuf returns the rules in canonical form, and by request path what is
// ignored in the answers.
func compileProtobuf(rules []ProtobufRule, descriptors []byte) ([]ProtobufRule, map[string]messageNode, error) {
	if len(rules) == 0 && len(descriptors) == 0 {
		return nil, nil, nil
	}
	if len(rules) == 0 {
		return nil, nil, fmt.Errorf("%w: descriptors are given, but no protobuf field", ErrIgnorePolicy)
	}
	files, err := readDescriptors(descriptors)
	if err != nil {
		return nil, nil, err
	}
	united, nodes, n := map[[2]string]*ProtobufRule{}, map[string]messageNode{}, 0
	for _, r := range rules {
		if n += len(r.Fields); n > maxRules {
			return nil, nil, fmt.Errorf("%w: there are more than %d protobuf fields", ErrIgnorePolicy, maxRules)
		}
		message, err := r.resolve(files)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: protobuf %s: %w", ErrIgnorePolicy, r.name(), err)
		}
		key := [2]string{r.Path, string(message.FullName())}
		if united[key] == nil {
			united[key] = &ProtobufRule{Path: key[0], Message: key[1]}
		}
		paths, err := methodPaths(files, r, message)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: protobuf %s: %w", ErrIgnorePolicy, r.name(), err)
		}
		for _, f := range r.Fields {
			path, err := fieldPath(message, f)
			if err != nil {
				return nil, nil, fmt.Errorf("%w: protobuf %s: field %q: %w", ErrIgnorePolicy, r.name(), f, err)
			}
			united[key].Fields = append(united[key].Fields, pathName(path))
			for _, p := range paths {
				if nodes[p] == nil {
					nodes[p] = messageNode{}
				}
				nodes[p].ignore(path)
			}
		}
	}
	if err := oneTypeEach(united); err != nil {
		return nil, nil, err
	}
	return canonicalRules(united), nodes, nil
}

// oneTypeEach refuses a path that two rules give different types.
func oneTypeEach(united map[[2]string]*ProtobufRule) error {
	types := map[string]string{}
	for key := range united {
		if other, ok := types[key[0]]; ok && key[0] != "" && other != key[1] {
			return fmt.Errorf("%w: protobuf %s: its body can't be both %s and %s", ErrIgnorePolicy, key[0], min(other, key[1]), max(other, key[1]))
		}
		types[key[0]] = key[1]
	}
	return nil
}

func canonicalRules(united map[[2]string]*ProtobufRule) []ProtobufRule {
	list := make([]ProtobufRule, 0, len(united))
	for _, r := range united {
		r.Fields = sorted(r.Fields)
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b ProtobufRule) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Message, b.Message))
	})
	return list
}

// ignore adds a path. A field that is ignored whole stays so.
func (m messageNode) ignore(path []protoreflect.FieldDescriptor) {
	for i, f := range path {
		node := m[f.Number()]
		switch last := i == len(path)-1; {
		case node != nil && node.within == nil:
			return
		case node == nil || last:
			node = &fieldNode{wires: wiresOf(f)}
			m[f.Number()] = node
			if !last {
				node.within = messageNode{}
			}
		}
		m = node.within
	}
}

// wiresOf are the wire types in which a field may come, packed or not.
func wiresOf(f protoreflect.FieldDescriptor) uint {
	var wire protowire.Type
	switch f.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		wire = protowire.BytesType
	case protoreflect.GroupKind:
		wire = protowire.StartGroupType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		wire = protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		wire = protowire.Fixed64Type
	default:
		wire = protowire.VarintType
	}
	wires := uint(1) << wire
	if f.IsList() && wire != protowire.StartGroupType {
		wires |= 1 << protowire.BytesType
	}
	return wires
}
