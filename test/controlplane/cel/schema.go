package main

import (
	"encoding/json"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// readSchema reads the openAPIV3Schema of a CustomResourceDefinition (v1).
func readSchema(text json.RawMessage) (*apiextensions.JSONSchemaProps, *schema.Structural, error) {
	var external apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(text, &external); err != nil {
		return nil, nil, err
	}
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&external, internal, nil); err != nil {
		return nil, nil, err
	}
	structural, err := schema.NewStructural(internal)
	if err != nil {
		return internal, nil, fmt.Errorf("not structural: %w", err)
	}
	return internal, structural, nil
}

// readValue reads JSON as the API server does: whole numbers within 64 bits are int64, others float64. Absent is nil.
func readValue(text json.RawMessage) (any, error) {
	if text == nil {
		return nil, nil
	}
	var value any
	err := utiljson.Unmarshal(text, &value)
	return value, err
}
