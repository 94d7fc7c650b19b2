package main

import (
	"encoding/json"
	"reflect"
	"sort"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apiserver/pkg/cel/mutation"
	"k8s.io/apiserver/pkg/cel/mutation/dynamic"
)

// patchOf is the apply configuration or the JSON patch that an expression of a mutation came to, as JSON; nil of any other type. Of what cannot be
// one it says "type mismatch: …", with the lines sorted, or only that it is not JSON.
func patchOf(value ref.Val, typeName string) any {
	switch typeName {
	case "Object":
		object := value.(*dynamic.ObjectVal)
		if err := object.CheckTypeNamesMatchFieldPathNames(); err != nil {
			return mismatch(err)
		}
		if _, ok := object.Value().(map[string]any); !ok {
			return notJSON
		}
		return asJSON(object.Value())
	case "list(JSONPatch)":
		operations := []any{}
		for it := value.(traits.Lister).Iterator(); it.HasNext() == types.True; {
			operation, fault := operationOf(it.Next().(*mutation.JSONPatchVal))
			if fault != "" {
				return fault
			}
			operations = append(operations, operation)
		}
		return operations
	}
	return nil
}

func operationOf(patch *mutation.JSONPatchVal) (operation map[string]any, fault string) {
	operation = map[string]any{"op": patch.Op, "path": patch.Path}
	if len(patch.From) > 0 {
		operation["from"] = patch.From
	}
	if patch.Val == nil {
		return operation, ""
	}
	if object, ok := patch.Val.(*dynamic.ObjectVal); ok {
		if err := object.CheckTypeNamesMatchFieldPathNames(); err != nil {
			return nil, mismatch(err)
		}
	}
	converted, err := patch.Val.ConvertToNative(reflect.TypeOf(&structpb.Value{}))
	if err != nil {
		return nil, notJSON
	}
	operation["value"] = asJSON(converted)
	return operation, ""
}

const notJSON = "not JSON"

func mismatch(err error) string {
	lines := strings.Split(err.Error(), "\n")
	sort.Strings(lines)
	return "type mismatch: " + strings.Join(lines, "\n")
}

func asJSON(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return notJSON
	}
	return json.RawMessage(text)
}
