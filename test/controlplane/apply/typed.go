package main

import (
	"encoding/json"
	"fmt"

	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	smdschema "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

type typedCase struct {
	Schema spec.Schema `json:"schema"`
	// Raw, so that integers are told from floats.
	Values []json.RawMessage `json:"values"`
	Sets   []json.RawMessage `json:"sets"`
	Ops    []typedOp         `json:"ops"`
}

type typedOp struct {
	Op string `json:"op"`
	// Of validate: whether elements of a list may be the same.
	AllowsDuplicates bool `json:"allowsDuplicates"`
	// Places in the values, and in the sets.
	Value int `json:"value"`
	Other int `json:"other"`
	Set   int `json:"set"`
}

// A typedAnswer without anything is that of an operation on a value that has not the form of the schema.
type typedAnswer struct {
	IsValid  *bool     `json:"isValid,omitempty"`
	Set      *fieldSet `json:"set,omitempty"`
	Added    *fieldSet `json:"added,omitempty"`
	Modified *fieldSet `json:"modified,omitempty"`
	Removed  *fieldSet `json:"removed,omitempty"`
	Value    any       `json:"value,omitempty"`
	// Whether there is a value, for null is one too.
	HasValue bool `json:"hasValue,omitempty"`
}

const rootType = "root"

func answerTyped(line []byte) (any, error) {
	var asked typedCase
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	converted, err := schemaconv.ToSchemaFromOpenAPI(map[string]*spec.Schema{rootType: &asked.Schema}, false)
	if err != nil {
		return nil, err
	}
	parser := typed.Parser{Schema: smdschema.Schema{Types: converted.Types}}
	values := make([]any, len(asked.Values))
	for index, raw := range asked.Values {
		if err := utiljson.Unmarshal(raw, &values[index]); err != nil {
			return nil, err
		}
	}
	walk := typedWalk{parser.Type(rootType), values, asked.Sets}
	answers := make([]typedAnswer, 0, len(asked.Ops))
	for _, op := range asked.Ops {
		answer, err := walk.answer(op)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

type typedWalk struct {
	root   typed.ParseableType
	values []any
	sets   []json.RawMessage
}

// typedValue gives nil for a value that has not the form of the schema.
func (w typedWalk) typedValue(index int, options ...typed.ValidationOptions) *typed.TypedValue {
	result, err := w.root.FromUnstructured(w.values[index], options...)
	if err != nil {
		return nil
	}
	return result
}

func (w typedWalk) answer(op typedOp) (typedAnswer, error) {
	if op.Op == "validate" {
		options := []typed.ValidationOptions{}
		if op.AllowsDuplicates {
			options = append(options, typed.AllowDuplicates)
		}
		isValid := w.typedValue(op.Value, options...) != nil
		return typedAnswer{IsValid: &isValid}, nil
	}
	subject := w.typedValue(op.Value, typed.AllowDuplicates)
	if subject == nil {
		return typedAnswer{}, nil
	}
	switch op.Op {
	case "toFieldSet":
		set, err := subject.ToFieldSet()
		if err != nil {
			return typedAnswer{}, nil
		}
		return typedAnswer{Set: (*fieldSet)(set)}, nil
	case "compare":
		other := w.typedValue(op.Other, typed.AllowDuplicates)
		if other == nil {
			return typedAnswer{}, nil
		}
		comparison, err := subject.Compare(other)
		if err != nil {
			return typedAnswer{}, nil
		}
		return typedAnswer{
			Added:    (*fieldSet)(comparison.Added),
			Modified: (*fieldSet)(comparison.Modified),
			Removed:  (*fieldSet)(comparison.Removed),
		}, nil
	case "merge":
		other := w.typedValue(op.Other)
		if other == nil {
			return typedAnswer{}, nil
		}
		merged, err := subject.Merge(other)
		if err != nil {
			return typedAnswer{}, nil
		}
		return valueAnswer(merged.AsValue()), nil
	}
	set := readSet(w.sets[op.Set])
	if set == nil {
		return typedAnswer{}, fmt.Errorf("no set: %s", w.sets[op.Set])
	}
	switch op.Op {
	case "remove":
		return valueAnswer(subject.RemoveItems(set).AsValue()), nil
	case "extract":
		return valueAnswer(subject.ExtractItems(set).AsValue()), nil
	default:
		return typedAnswer{}, fmt.Errorf("unknown operation %q", op.Op)
	}
}

func valueAnswer(result value.Value) typedAnswer {
	answer := typedAnswer{HasValue: true}
	if result != nil {
		answer.Value = result.Unstructured()
	}
	return answer
}
