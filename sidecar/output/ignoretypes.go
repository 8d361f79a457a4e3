package output

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// maxDescriptors bounds what every Start of a log has to hold.
const maxDescriptors = 256 << 10

func readDescriptors(b []byte) (*protoregistry.Files, error) {
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("%w: protobuf fields need descriptors, and none are given", ErrIgnorePolicy)
	case len(b) > maxDescriptors:
		return nil, fmt.Errorf("%w: the descriptors have %d octets, and every start of a log holds them, so at most %d are possible: take the files that are needed, without source info",
			ErrIgnorePolicy, len(b), maxDescriptors)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		return nil, fmt.Errorf("%w: the descriptors are no google.protobuf.FileDescriptorSet: %w", ErrIgnorePolicy, err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, fmt.Errorf("%w: the descriptors do not hold together (imports belong to them): %w", ErrIgnorePolicy, err)
	}
	return files, nil
}

func (r ProtobufRule) name() string {
	return cmp.Or(r.Path, r.Message, "rule without path and message")
}

// resolve finds the type of the bodies.
func (r ProtobufRule) resolve(files *protoregistry.Files) (protoreflect.MessageDescriptor, error) {
	if len(r.Fields) == 0 {
		return nil, errors.New("no fields are named")
	}
	if r.Path != "" && (r.Path[0] != '/' || strings.ContainsAny(r.Path, "?#")) {
		return nil, errors.New("a path begins with / and has no query")
	}
	method := findMethod(files, r.Path)
	if r.Message == "" {
		if method == nil {
			return nil, errors.New("say the message: this is no method of the descriptors")
		}
		return method.Output(), nil
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(r.Message))
	message, ok := found.(protoreflect.MessageDescriptor)
	if err != nil || !ok {
		return nil, fmt.Errorf("the descriptors have no message %q", r.Message)
	}
	if method != nil && method.Output().FullName() != message.FullName() {
		return nil, fmt.Errorf("this method answers with %s, not with %s", method.Output().FullName(), r.Message)
	}
	return message, nil
}

// findMethod is the method that a request's path names; nil: none.
func findMethod(files *protoregistry.Files, path string) protoreflect.MethodDescriptor {
	service, name, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok {
		return nil
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil
	}
	if s, ok := found.(protoreflect.ServiceDescriptor); ok {
		return s.Methods().ByName(protoreflect.Name(name))
	}
	return nil
}

// methodPaths are the paths that a rule is for.
func methodPaths(files *protoregistry.Files, r ProtobufRule, message protoreflect.MessageDescriptor) ([]string, error) {
	if r.Path != "" {
		return []string{r.Path}, nil
	}
	var paths []string
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				if m := methods.Get(j); m.Output().FullName() == message.FullName() {
					paths = append(paths, "/"+string(m.Parent().FullName())+"/"+string(m.Name()))
				}
			}
		}
		return true
	})
	if paths == nil {
		return nil, errors.New("no method of the descriptors answers with it; say the path that does")
	}
	return paths, nil
}

// fieldPath finds the fields of a path, by name or number.
func fieldPath(message protoreflect.MessageDescriptor, path string) ([]protoreflect.FieldDescriptor, error) {
	segments := strings.Split(path, ".")
	if len(segments) > maxSegments {
		return nil, fmt.Errorf("it has more than %d segments", maxSegments)
	}
	var list []protoreflect.FieldDescriptor
	for i, s := range segments {
		if message == nil {
			return nil, fmt.Errorf("%s has no fields that can be ignored alone", pathName(list))
		}
		f := message.Fields().ByName(protoreflect.Name(s))
		if n, err := strconv.ParseInt(s, 10, 32); err == nil {
			f = message.Fields().ByNumber(protoreflect.FieldNumber(n))
		}
		if f == nil {
			return nil, fmt.Errorf("%s has no field %q", message.FullName(), s)
		}
		list, message = append(list, f), f.Message()
		if f.Kind() == protoreflect.GroupKind && i < len(segments)-1 {
			return nil, fmt.Errorf("%s is a group, which is ignored whole or not at all", pathName(list))
		}
	}
	return list, nil
}

func pathName(path []protoreflect.FieldDescriptor) string {
	names := make([]string, len(path))
	for i, f := range path {
		names[i] = string(f.Name())
	}
	return strings.Join(names, ".")
}
