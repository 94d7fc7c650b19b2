package main

import (
	"bytes"
	"encoding/json"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type setsCase struct {
	// FieldsV1.
	Left  json.RawMessage `json:"left"`
	Right json.RawMessage `json:"right"`
	// Paths to look for in the left set, as texts of path elements.
	Paths [][]string `json:"paths"`
}

type setsAnswer struct {
	// Null for what is no set; then there is nothing else.
	Left                *fieldSet `json:"left"`
	Right               *fieldSet `json:"right"`
	Union               *fieldSet `json:"union,omitempty"`
	Intersection        *fieldSet `json:"intersection,omitempty"`
	Difference          *fieldSet `json:"difference,omitempty"`
	RecursiveDifference *fieldSet `json:"recursiveDifference,omitempty"`
	Leaves              *fieldSet `json:"leaves,omitempty"`
	Equals              bool      `json:"equals"`
	Size                int       `json:"size"`
	// The members of the left set as messages print them, in the order in which conflicts are told.
	Members []string `json:"members,omitempty"`
	// Null for a path that has an element which cannot be read, or is of an unknown type.
	Paths []*pathAnswer `json:"paths,omitempty"`
}

type pathAnswer struct {
	Has    bool   `json:"has"`
	String string `json:"string"`
}

// fieldSet is a set that is written as FieldsV1.
type fieldSet fieldpath.Set

func (s *fieldSet) MarshalJSON() ([]byte, error) {
	return (*fieldpath.Set)(s).ToJSON()
}

func answerSets(line []byte) (any, error) {
	var asked setsCase
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	left, right := readSet(asked.Left), readSet(asked.Right)
	answer := setsAnswer{Left: (*fieldSet)(left), Right: (*fieldSet)(right)}
	if left == nil || right == nil {
		return answer, nil
	}
	answer.Union = (*fieldSet)(left.Union(right))
	answer.Intersection = (*fieldSet)(left.Intersection(right))
	answer.Difference = (*fieldSet)(left.Difference(right))
	answer.RecursiveDifference = (*fieldSet)(left.RecursiveDifference(right))
	answer.Leaves = (*fieldSet)(left.Leaves())
	answer.Equals = left.Equals(right)
	answer.Size = left.Size()
	left.Iterate(func(path fieldpath.Path) { answer.Members = append(answer.Members, path.String()) })
	for _, path := range asked.Paths {
		answer.Paths = append(answer.Paths, lookUp(left, path))
	}
	return answer, nil
}

func readSet(fields json.RawMessage) *fieldpath.Set {
	set := &fieldpath.Set{}
	if set.FromJSON(bytes.NewReader(fields)) != nil {
		return nil
	}
	return set
}

func lookUp(set *fieldpath.Set, elements []string) *pathAnswer {
	path := fieldpath.Path{}
	for _, text := range elements {
		element, err := fieldpath.DeserializePathElement(text)
		if err != nil {
			return nil
		}
		path = append(path, element)
	}
	return &pathAnswer{Has: set.Has(path), String: path.String()}
}
