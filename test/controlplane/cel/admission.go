package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	pluginauthorizer "k8s.io/apiserver/pkg/admission/plugin/authorizer"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
	"k8s.io/apiserver/pkg/cel/mutation"
)

// admissionQuestion asks for expressions as those of an admission policy are compiled, and evaluated for one request, one after the other.
type admissionQuestion struct {
	Op string `json:"op"`
	// Variables are those of the policy, in their order.
	Variables []namedExpression `json:"variables,omitempty"`
	// Params, Authorizer and PatchTypes say what of these is declared.
	Params     bool `json:"params,omitempty"`
	Authorizer bool `json:"authorizer,omitempty"`
	PatchTypes bool `json:"patchTypes,omitempty"`
	// Returns are the types that an expression may have, any when there are none.
	Returns []string       `json:"returns,omitempty"`
	Input   admissionInput `json:"input"`
	Answers []checkAnswer  `json:"answers,omitempty"`
	// Budget is that of all expressions together; by default the one of the API server.
	Budget      int64    `json:"budget,omitempty"`
	Expressions []string `json:"expressions"`
}

type namedExpression struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
}

// admissionInput is the request, with what it is about.
type admissionInput struct {
	Object      json.RawMessage             `json:"object,omitempty"`
	OldObject   json.RawMessage             `json:"oldObject,omitempty"`
	Params      json.RawMessage             `json:"params,omitempty"`
	Namespace   *corev1.Namespace           `json:"namespaceObject,omitempty"`
	Kind        metav1.GroupVersionKind     `json:"kind"`
	Resource    metav1.GroupVersionResource `json:"resource"`
	RequestKind metav1.GroupVersionKind     `json:"requestKind"`
	// RequestResource is what the client asked for: the authorizer's, too.
	RequestResource metav1.GroupVersionResource `json:"requestResource"`
	SubResource     string                      `json:"subResource,omitempty"`
	Name            string                      `json:"name,omitempty"`
	InNamespace     string                      `json:"namespace,omitempty"`
	Operation       admission.Operation         `json:"operation"`
	User            user.DefaultInfo            `json:"user"`
	DryRun          bool                        `json:"dryRun,omitempty"`
	Options         json.RawMessage             `json:"options,omitempty"`
}

type admissionAnswer struct {
	// Results are those of the expressions, as far as the budget went.
	Results []admissionResult `json:"results"`
	// Stopped says why the expressions behind the last result were not evaluated.
	Stopped string `json:"stopped,omitempty"`
	// Remaining is what is left of the budget.
	Remaining *int64 `json:"remaining,omitempty"`
	// Checks are those that the authorizer was asked for, in their order.
	Checks []check `json:"checks,omitempty"`
}

type admissionResult struct {
	// Type is the checked type, Estimate the static cost; absent of an expression that does not compile.
	Type     string   `json:"type,omitempty"`
	Estimate []string `json:"estimate,omitempty"`
	// Value is told as canonicalValue writes it, Error is the text of what failed: one of both.
	Value any `json:"value,omitempty"`
	// Patch is what a mutation makes of the value, where it is one; see patch.go.
	Patch any    `json:"patch,omitempty"`
	Error string `json:"error,omitempty"`
}

// expressionOf is an expression with the types that it may have.
type expressionOf struct {
	text    string
	name    string
	returns []*cel.Type
}

func (e *expressionOf) GetExpression() string    { return e.text }
func (e *expressionOf) GetName() string          { return e.name }
func (e *expressionOf) ReturnTypes() []*cel.Type { return e.returns }

var returnTypes = map[string]*cel.Type{
	"bool":            cel.BoolType,
	"string":          cel.StringType,
	"null_type":       cel.NullType,
	"Object":          types.NewObjectType("Object"),
	"list(JSONPatch)": cel.ListType(types.NewObjectType("JSONPatch")),
}

// policy is what many questions have in common; it takes longer to make than an expression to answer.
type policy struct {
	compiler *plugincel.CompositedCompiler
	// env is the one of the compiler, which it keeps to itself, made again.
	env *cel.Env
}

var policies = map[string]policy{}

func policyOf(question admissionQuestion) (policy, error) {
	key := fmt.Sprintf("%t %t %t %v", question.Params, question.Authorizer, question.PatchTypes, question.Variables)
	if known, ok := policies[key]; ok {
		return known, nil
	}
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		return policy{}, err
	}
	declared := plugincel.OptionalVariableDeclarations{HasParams: question.Params, HasAuthorizer: question.Authorizer}
	for _, variable := range question.Variables {
		accessor := &expressionOf{text: variable.Expression, name: variable.Name, returns: []*cel.Type{cel.AnyType, cel.DynType}}
		compiler.CompileAndStoreVariable(accessor, declared, environment.StoredExpressions)
	}
	env, err := compiler.Env(environment.StoredExpressions)
	if err != nil {
		return policy{}, err
	}
	env, err = env.Extend(admissionVariables(env, question)...)
	if err != nil {
		return policy{}, err
	}
	made := policy{compiler: compiler, env: env}
	policies[key] = made
	return made, nil
}

func answerAdmission(question admissionQuestion) (any, error) {
	policy, err := policyOf(question)
	if err != nil {
		return nil, err
	}
	declared := plugincel.OptionalVariableDeclarations{HasParams: question.Params, HasAuthorizer: question.Authorizer, HasPatchTypes: question.PatchTypes}
	accessors, err := accessorsOf(question)
	if err != nil {
		return nil, err
	}
	authorizer := &recordingAuthorizer{answers: question.Answers}
	answer := admissionAnswer{Results: []admissionResult{}}
	for _, accessor := range accessors {
		result, err := policy.describe(accessor, declared)
		if err != nil {
			return nil, err
		}
		answer.Results = append(answer.Results, result)
	}
	attributes, request, err := question.Input.attributes()
	if err != nil {
		return nil, err
	}
	bindings := plugincel.OptionalVariableBindings{}
	if question.Input.Params != nil {
		params, err := readObject(question.Input.Params)
		if err != nil {
			return nil, err
		}
		bindings.VersionedParams = params
	}
	if question.Authorizer {
		bindings.Authorizer = pluginauthorizer.NewCachingAuthorizer(authorizer)
	}
	budget := question.Budget
	if budget == 0 {
		budget = celconfig.RuntimeCELCostBudget
	}
	evaluator := policy.compiler.CompileCondition(accessors, declared, environment.StoredExpressions)
	namespace := plugincel.CreateNamespaceObject(question.Input.Namespace)
	evaluations, remaining, err := evaluator.ForInput(context.Background(), attributes, request, bindings, namespace, budget)
	answer.Checks = authorizer.checks
	if err != nil {
		answer.Stopped = err.Error()
		return answer, nil
	}
	answer.Remaining = &remaining
	for i, evaluation := range evaluations {
		if evaluation.Error != nil {
			answer.Results[i].Error = evaluation.Error.Error()
		} else {
			answer.Results[i].Value = canonicalValue(evaluation.EvalResult)
			answer.Results[i].Patch = patchOf(evaluation.EvalResult, answer.Results[i].Type)
		}
	}
	return answer, nil
}

func accessorsOf(question admissionQuestion) ([]plugincel.ExpressionAccessor, error) {
	returns := []*cel.Type{}
	for _, name := range question.Returns {
		known, ok := returnTypes[name]
		if !ok {
			return nil, fmt.Errorf("no type %q", name)
		}
		returns = append(returns, known)
	}
	if len(returns) == 0 {
		returns = []*cel.Type{cel.AnyType}
	}
	accessors := []plugincel.ExpressionAccessor{}
	for _, text := range question.Expressions {
		accessors = append(accessors, &expressionOf{text: text, returns: returns})
	}
	return accessors, nil
}

// describe tells the type and the estimated cost.
func (p policy) describe(accessor plugincel.ExpressionAccessor, declared plugincel.OptionalVariableDeclarations) (admissionResult, error) {
	compiled := p.compiler.CompileCELExpression(accessor, declared, environment.StoredExpressions)
	if compiled.Error != nil {
		return admissionResult{}, nil
	}
	ast, issues := p.env.Compile(accessor.GetExpression())
	if issues != nil {
		return admissionResult{}, issues.Err()
	}
	estimate, err := p.env.EstimateCost(ast, &library.CostEstimator{})
	if err != nil {
		return admissionResult{}, err
	}
	return admissionResult{
		Type:     compiled.OutputType.String(),
		Estimate: []string{strconv.FormatUint(estimate.Min, 10), strconv.FormatUint(estimate.Max, 10)},
	}, nil
}

func admissionVariables(env *cel.Env, question admissionQuestion) []cel.EnvOption {
	namespaceType, requestType := plugincel.BuildNamespaceType(), plugincel.BuildRequestType()
	options, err := apiservercel.NewDeclTypeProvider(namespaceType, requestType).EnvOptions(env.CELTypeProvider())
	if err != nil {
		panic(err)
	}
	options = append(options,
		cel.Variable(plugincel.ObjectVarName, cel.DynType),
		cel.Variable(plugincel.OldObjectVarName, cel.DynType),
		cel.Variable(plugincel.NamespaceVarName, namespaceType.CelType()),
		cel.Variable(plugincel.RequestVarName, requestType.CelType()))
	if question.Params {
		options = append(options, cel.Variable(plugincel.ParamsVarName, cel.DynType))
	}
	if question.Authorizer {
		options = append(options,
			cel.Variable(plugincel.AuthorizerVarName, library.AuthorizerType),
			cel.Variable(plugincel.RequestResourceAuthorizerVarName, library.ResourceCheckType))
	}
	if question.PatchTypes {
		options = append(options, common.ResolverEnvOption(&mutation.DynamicTypeResolver{}), library.JSONPatch())
	}
	return options
}

// attributes are those of the request as the API server hands it to its plugins.
func (i admissionInput) attributes() (*admission.VersionedAttributes, *admissionv1.AdmissionRequest, error) {
	object, err := readObject(i.Object)
	if err != nil {
		return nil, nil, err
	}
	oldObject, err := readObject(i.OldObject)
	if err != nil {
		return nil, nil, err
	}
	options, err := readObject(i.Options)
	if err != nil {
		return nil, nil, err
	}
	kind := schema.GroupVersionKind(i.RequestKind)
	resource := schema.GroupVersionResource(i.RequestResource)
	attributes := admission.NewAttributesRecord(object, oldObject, kind, i.InNamespace, i.Name, resource, i.SubResource, i.Operation, options, i.DryRun, &i.User)
	versioned := &admission.VersionedAttributes{
		Attributes:         attributes,
		VersionedKind:      schema.GroupVersionKind(i.Kind),
		VersionedObject:    object,
		VersionedOldObject: oldObject,
	}
	return versioned, plugincel.CreateAdmissionRequest(attributes, i.Resource, i.Kind), nil
}

// readObject reads an object of any kind; absent is nil.
func readObject(text json.RawMessage) (runtime.Object, error) {
	value, err := readValue(text)
	if value == nil || err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	return &unstructured.Unstructured{Object: object}, nil
}
