package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/warning"
)

// rulesQuestion asks for a whole schema with x-kubernetes-validations, and what its rules say of an object.
type rulesQuestion struct {
	Op string `json:"op"`
	// Schema is the openAPIV3Schema of a CustomResourceDefinition's only version.
	Schema json.RawMessage `json:"schema"`
	// Self is the whole object; absent asks for the definition only.
	Self json.RawMessage `json:"self,omitempty"`
	// OldSelf makes it an update, with ratcheting.
	OldSelf json.RawMessage `json:"oldSelf,omitempty"`
}

type rulesAnswer struct {
	// Definition has the faults of the CustomResourceDefinition, paths relative to its schema; where there are any, no object is looked at.
	Definition []fault `json:"definition,omitempty"`
	// Errors are those of the object, Warnings the ones that ratcheting made of errors.
	Errors   []fault  `json:"errors,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// Remaining is the rest of the budget, negative when it ran out. Absent where no object was looked at.
	Remaining *int64 `json:"remaining,omitempty"`
}

// fault is a field.Error: the type is the reason of its cause, the message as a cause has it.
type fault struct {
	Path    string `json:"path"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func answerRules(question rulesQuestion) (any, error) {
	internal, structural, err := readSchema(question.Schema)
	if internal == nil {
		return nil, err
	}
	answer := rulesAnswer{Definition: definitionFaults(internal)}
	if len(answer.Definition) > 0 || question.Self == nil {
		return answer, nil
	}
	if err != nil {
		return nil, err
	}
	self, err := readValue(question.Self)
	if err != nil {
		return nil, err
	}
	oldSelf, err := readValue(question.OldSelf)
	if err != nil {
		return nil, err
	}
	objectFaults(&answer, structural, self, oldSelf)
	return answer, nil
}

const schemaPath = "spec.validation.openAPIV3Schema"

func definitionFaults(schema *apiextensions.JSONSchemaProps) []fault {
	definition := &apiextensions.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "things.example.com"},
		Spec: apiextensions.CustomResourceDefinitionSpec{
			Group:      "example.com",
			Scope:      apiextensions.NamespaceScoped,
			Names:      apiextensions.CustomResourceDefinitionNames{Plural: "things", Singular: "thing", Kind: "Thing", ListKind: "ThingList"},
			Versions:   []apiextensions.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true}},
			Version:    "v1",
			Validation: &apiextensions.CustomResourceValidation{OpenAPIV3Schema: schema},
			Conversion: &apiextensions.CustomResourceConversion{Strategy: apiextensions.NoneConverter},
			// What v1 demands, and apiextensions' defaulting of it.
			PreserveUnknownFields: new(bool),
		},
		Status: apiextensions.CustomResourceDefinitionStatus{StoredVersions: []string{"v1"}},
	}
	return faults(validation.ValidateCustomResourceDefinition(context.Background(), definition))
}

func objectFaults(answer *rulesAnswer, structural *structuralschema.Structural, self, oldSelf any) {
	warnings := &warningList{}
	ctx := warning.WithWarningRecorder(context.Background(), warnings)
	var options []schemacel.Option
	if oldSelf != nil {
		options = append(options, schemacel.WithRatcheting(common.NewCorrelatedObject(self, oldSelf, &model.Structural{Structural: structural})))
	}
	validator := schemacel.NewValidator(structural, true, celconfig.PerCallLimit)
	errs, remaining := validator.Validate(ctx, nil, structural, self, oldSelf, celconfig.RuntimeCELCostBudget, options...)
	answer.Errors = faults(errs)
	answer.Warnings = warnings.texts
	sort.Strings(answer.Warnings)
	answer.Remaining = &remaining
}

type warningList struct {
	texts []string
}

func (w *warningList) AddWarning(_, text string) {
	w.texts = append(w.texts, text)
}

// selfTypeNames matches what apiextensions calls the type of self: a name that is another at each compilation.
var selfTypeNames = regexp.MustCompile(`selfType\d+`)

// withoutPlace is a message with paths relative to the schema, as the fault's own is, and with one name for the type of self.
func withoutPlace(message string) string {
	return selfTypeNames.ReplaceAllString(strings.ReplaceAll(message, schemaPath+".", ""), selfTypeName)
}

// faults are sorted: the members of an object are visited in the order of a Go map, which is none.
func faults(errs field.ErrorList) []fault {
	var result []fault
	for _, err := range errs {
		path := strings.TrimPrefix(strings.TrimPrefix(err.Field, schemaPath), ".")
		result = append(result, fault{Path: path, Reason: string(err.Type), Message: withoutPlace(err.ErrorBody())})
	}
	sort.SliceStable(result, func(i, j int) bool {
		return fmt.Sprint(result[i]) < fmt.Sprint(result[j])
	})
	return result
}
