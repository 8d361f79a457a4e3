package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"sigs.k8s.io/yaml"
)

// ErrConfig says that bytes are no configuration of an Envoy.
var ErrConfig = errors.New("not an Envoy configuration")

// Parse reads a bootstrap, as YAML or JSON, or what Envoy's admin endpoint gives as
// /config_dump.
func Parse(b []byte) (Config, error) {
	js, err := yaml.YAMLToJSON(b)
	if err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(js))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	top, ok := tree.(map[string]any)
	if !ok {
		return Config{}, fmt.Errorf("%w: it is no object; give a bootstrap or a /config_dump", ErrConfig)
	}
	c := Config{Routes: map[string]*routev3.RouteConfiguration{}}
	unknown := map[string]bool{}
	readable(tree, unknown)
	c.Unknown = slices.Sorted(maps.Keys(unknown))
	if _, isDump := top["configs"]; isDump {
		err := c.readDump(tree)
		return c, err
	}
	bootstrap := &bootstrapv3.Bootstrap{}
	if err := unmarshal(tree, bootstrap); err != nil {
		return Config{}, err
	}
	if bootstrap.GetStaticResources() == nil && bootstrap.GetDynamicResources() == nil {
		return Config{}, fmt.Errorf("%w: it has neither static_resources nor dynamic_resources nor configs; give a bootstrap or a /config_dump", ErrConfig)
	}
	c.Listeners = bootstrap.GetStaticResources().GetListeners()
	c.Clusters = bootstrap.GetStaticResources().GetClusters()
	c.Dynamic = bootstrap.GetDynamicResources().GetLdsConfig() != nil || bootstrap.GetDynamicResources().GetCdsConfig() != nil
	return c, nil
}

// readable replaces each message of a type that is not linked in by an empty struct,
// since protojson refuses the whole otherwise, and notes its type.
func readable(tree any, unknown map[string]bool) {
	switch v := tree.(type) {
	case []any:
		for _, e := range v {
			readable(e, unknown)
		}
	case map[string]any:
		if url, ok := v["@type"].(string); ok {
			if _, err := protoregistry.GlobalTypes.FindMessageByURL(url); err != nil {
				unknown[url[strings.LastIndexByte(url, '/')+1:]] = true
				clear(v)
				v["@type"], v["value"] = "type.googleapis.com/google.protobuf.Struct", map[string]any{}
				return
			}
		}
		for _, e := range v {
			readable(e, unknown)
		}
	}
}

func unmarshal(tree any, into proto.Message) error {
	js, err := json.Marshal(tree)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	// An Envoy newer than this program has fields that it does not know.
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(js, into); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}
