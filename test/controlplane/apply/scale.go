package main

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type scaleCase struct {
	// The managedFields of an object, and of its scale after a write.
	Parent []metav1.ManagedFieldsEntry `json:"parent"`
	Scale  []metav1.ManagedFieldsEntry `json:"scale"`
	// As group/version.
	APIVersion string `json:"apiVersion"`
	// The names of the fields that lead to the number of replicas, by version; null for a version without a scale.
	Paths map[string][]string `json:"paths"`
}

type scaleAnswer struct {
	// Null where the entries cannot be read.
	ToScale  *[]metav1.ManagedFieldsEntry `json:"toScale"`
	ToParent *[]metav1.ManagedFieldsEntry `json:"toParent"`
}

func answerScale(line []byte) (any, error) {
	var asked scaleCase
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	version, err := schema.ParseGroupVersion(asked.APIVersion)
	if err != nil {
		return nil, err
	}
	mappings := managedfields.ResourcePathMappings{}
	for apiVersion, names := range asked.Paths {
		var path fieldpath.Path
		for _, name := range names {
			path = append(path, fieldpath.PathElement{FieldName: &name})
		}
		mappings[apiVersion] = path
	}
	handler := managedfields.NewScaleHandler(asked.Parent, version, mappings)
	return scaleAnswer{entriesOf(handler.ToSubresource()), entriesOf(handler.ToParent(asked.Scale))}, nil
}

func entriesOf(entries []metav1.ManagedFieldsEntry, err error) *[]metav1.ManagedFieldsEntry {
	if err != nil {
		return nil
	}
	if entries == nil {
		entries = []metav1.ManagedFieldsEntry{}
	}
	return &entries
}
