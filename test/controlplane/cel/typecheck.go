package main

import (
	"encoding/json"
	"regexp"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// typecheckQuestion asks what the status of a policy warns of: whether an expression fits the schemas of the kinds that the policy is about.
type typecheckQuestion struct {
	Op string `json:"op"`
	// ObjectSchema is that of the one kind which the policy matches.
	ObjectSchema json.RawMessage `json:"objectSchema"`
	// HasParams says that the policy has a paramKind, and ParamsSchema is its schema, if it is known.
	HasParams    bool              `json:"hasParams,omitempty"`
	ParamsSchema json.RawMessage   `json:"paramsSchema,omitempty"`
	Variables    []namedExpression `json:"variables,omitempty"`
	Expression   string            `json:"expression"`
}

type typecheckAnswer struct {
	// Warning is empty where the expression fits. The types of objects and params are called objectType and paramsType.
	Warning string `json:"warning,omitempty"`
}

var (
	groupVersion = schema.GroupVersion{Group: "example.com", Version: "v1"}
	// The plugin appends the time.
	objectName = regexp.MustCompile(`Thing\d+`)
	paramsName = regexp.MustCompile(`Limit\d+`)
)

func answerTypecheck(question typecheckQuestion) (any, error) {
	schemas := schemasByKind{}
	for kind, text := range map[string]json.RawMessage{"Thing": question.ObjectSchema, "Limit": question.ParamsSchema} {
		if text == nil {
			continue
		}
		schemas[kind] = &spec.Schema{}
		if err := json.Unmarshal(text, schemas[kind]); err != nil {
			return nil, err
		}
	}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{groupVersion})
	mapper.Add(groupVersion.WithKind("Thing"), meta.RESTScopeNamespace)
	checker := &validating.TypeChecker{SchemaResolver: schemas, RestMapper: mapper}
	results := checker.CheckExpression(checker.CreateContext(policyFor(question)), question.Expression)
	if len(results) == 0 {
		return typecheckAnswer{}, nil
	}
	warning := objectName.ReplaceAllString(results[0].Issues.Error(), "objectType")
	return typecheckAnswer{Warning: paramsName.ReplaceAllString(warning, "paramsType")}, nil
}

func policyFor(question typecheckQuestion) *admissionregistrationv1.ValidatingAdmissionPolicy {
	rule := admissionregistrationv1.Rule{APIGroups: []string{"example.com"}, APIVersions: []string{"v1"}, Resources: []string{"things"}}
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{
				ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{
					{RuleWithOperations: admissionregistrationv1.RuleWithOperations{Rule: rule}},
				},
			},
		},
	}
	if question.HasParams {
		policy.Spec.ParamKind = &admissionregistrationv1.ParamKind{APIVersion: groupVersion.String(), Kind: "Limit"}
	}
	for _, variable := range question.Variables {
		policy.Spec.Variables = append(policy.Spec.Variables, admissionregistrationv1.Variable{Name: variable.Name, Expression: variable.Expression})
	}
	return policy
}

type schemasByKind map[string]*spec.Schema

func (s schemasByKind) ResolveSchema(gvk schema.GroupVersionKind) (*spec.Schema, error) {
	if known, ok := s[gvk.Kind]; ok {
		return known, nil
	}
	return nil, resolver.ErrSchemaNotFound
}
