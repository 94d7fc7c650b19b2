package main

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/lazy"
)

// canonicalValue writes a CEL value as JSON in one way only: null, booleans and strings as themselves, everything else as an object whose one
// member names the type. Numbers are strings (doubles as JavaScript writes them), bytes are base64, timestamps RFC 3339 in UTC, durations nanoseconds, maps lists of entries in the order of their keys' JSON.
func canonicalValue(value ref.Val) any {
	switch v := value.(type) {
	case types.Null:
		return map[string]any{"null": nil}
	case types.Bool:
		return bool(v)
	case types.String:
		return string(v)
	case types.Int:
		return map[string]any{"int": strconv.FormatInt(int64(v), 10)}
	case types.Uint:
		return map[string]any{"uint": strconv.FormatUint(uint64(v), 10)}
	case types.Double:
		return map[string]any{"double": canonicalDouble(float64(v))}
	case types.Bytes:
		return map[string]any{"bytes": base64.StdEncoding.EncodeToString(v)}
	case types.Timestamp:
		return map[string]any{"timestamp": v.Time.UTC().Format(time.RFC3339Nano)}
	case types.Duration:
		return map[string]any{"duration": strconv.FormatInt(int64(v.Duration), 10)}
	case *types.Optional:
		if !v.HasValue() {
			return map[string]any{"optional": nil}
		}
		return map[string]any{"optional": []any{canonicalValue(v.GetValue())}}
	case *types.Type:
		return map[string]any{"type": v.TypeName()}
	case *lazy.MapValue: // whose iterator yields values, and evaluates them
		return map[string]any{"made": v.Type().TypeName()}
	case traits.Lister:
		return map[string]any{"list": canonicalElements(v)}
	case traits.Mapper:
		return map[string]any{"map": canonicalEntries(v)}
	}
	return canonicalOpaque(value)
}

// canonicalDouble writes a double as JavaScript does, which is how encoding/json writes it.
func canonicalDouble(value float64) string {
	switch {
	case math.IsNaN(value):
		return "NaN"
	case math.IsInf(value, 1):
		return "Infinity"
	case math.IsInf(value, -1):
		return "-Infinity"
	}
	return mustMarshal(value)
}

func mustMarshal(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func canonicalElements(list traits.Lister) []any {
	elements := []any{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		elements = append(elements, canonicalValue(it.Next()))
	}
	return elements
}

func canonicalEntries(entries traits.Mapper) []any {
	type entry struct {
		key   string
		value []any
	}
	sorted := []entry{}
	for it := entries.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		if key == nil { // for each field that the schema does not know, apiextensions' iterator ends in one of these
			continue
		}
		canonicalKey := canonicalValue(key)
		value, found := entries.Find(key)
		if !found {
			value = types.NewErr("not found")
		}
		sorted = append(sorted, entry{mustMarshal(canonicalKey), []any{canonicalKey, canonicalValue(value)}})
	}
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].key < sorted[j].key })
	result := make([]any, 0, len(sorted))
	for _, e := range sorted {
		result = append(result, e.value)
	}
	return result
}

// canonicalOpaque writes the values of Kubernetes' own types as text.
func canonicalOpaque(value ref.Val) any {
	switch v := value.(type) {
	case apiservercel.Quantity:
		return map[string]any{"quantity": v.Quantity.String()}
	case *apiservercel.Quantity: // what add and sub make
		return map[string]any{"quantity": v.Quantity.String()}
	case apiservercel.URL:
		return map[string]any{"url": v.URL.String()}
	case apiservercel.IP:
		return map[string]any{"ip": v.Addr.String()}
	case apiservercel.CIDR:
		return map[string]any{"cidr": v.Prefix.String()}
	case apiservercel.Semver:
		return map[string]any{"semver": v.Version.String()}
	case apiservercel.Format:
		return map[string]any{"format": v.Name}
	case *apiservercel.Format:
		return map[string]any{"format": v.Name}
	case *types.Err:
		return map[string]any{"error": v.Error()}
	}
	// Objects that an expression makes are told by what a mutation makes of them, and the authorizer's have nothing to see.
	switch name := value.Type().TypeName(); {
	case strings.HasPrefix(name, "kubernetes.authorization."), name == "JSONPatch", name == "Object", strings.HasPrefix(name, "Object."):
		return map[string]any{"made": name}
	}
	// What x-kubernetes-preserve-unknown-fields keeps has a type of apiextensions' own.
	return map[string]any{"preserved": mustMarshal(value.Value())}
}
