package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apimachinery/pkg/util/version"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
)

// selfTypeName stands in for the name that apiextensions makes up anew at each compilation.
const selfTypeName = "selfType"

// expressionQuestion asks for one expression, as the rule of a CustomResourceDefinition is compiled and run.
type expressionQuestion struct {
	Op string `json:"op"`
	// Schema is that of self and oldSelf; without one both are dyn.
	Schema json.RawMessage `json:"schema,omitempty"`
	// Root says that self is the root of a resource: it has apiVersion, kind and metadata besides.
	Root            bool            `json:"root,omitempty"`
	OptionalOldSelf bool            `json:"optionalOldSelf,omitempty"`
	Self            json.RawMessage `json:"self,omitempty"`
	OldSelf         json.RawMessage `json:"oldSelf,omitempty"`
	Expression      string          `json:"expression"`
	// Stored asks in the environment for stored expressions, instead of that for new ones.
	Stored bool `json:"stored,omitempty"`
	// CostLimit is that of one evaluation; by default the one of the API server.
	CostLimit uint64 `json:"costLimit,omitempty"`
}

type expressionAnswer struct {
	// Compile has the errors of parsing and checking, or of making a program of what was checked; then nothing else is told.
	Compile string `json:"compile,omitempty"`
	// Type is the checked type.
	Type string `json:"type,omitempty"`
	// Estimate is the static cost: minimum and maximum, decimal (they go up to 2^64-1).
	Estimate []string `json:"estimate,omitempty"`
	// Value is told as canonicalValue writes it, Error is the text of a failed evaluation: one of both.
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
	// Cost is what the evaluation took.
	Cost *uint64 `json:"cost,omitempty"`
}

func answerExpression(question expressionQuestion) (any, error) {
	scope, err := scopeOf(question)
	if err != nil {
		return nil, err
	}
	env := scope.env
	ast, issues := env.Compile(question.Expression)
	if issues != nil {
		return expressionAnswer{Compile: issues.String()}, nil
	}
	estimator := &library.CostEstimator{}
	if scope.declType != nil {
		estimator.SizeEstimator = &sizeEstimator{root: scope.declType}
	}
	limit := question.CostLimit
	if limit == 0 {
		limit = celconfig.PerCallLimit
	}
	program, err := env.Program(ast, cel.CostLimit(limit), cel.CostTracking(estimator), cel.InterruptCheckFrequency(celconfig.CheckFrequency))
	if err != nil {
		return expressionAnswer{Compile: "program instantiation failed: " + err.Error()}, nil
	}
	estimate, err := env.EstimateCost(ast, estimator)
	if err != nil {
		return expressionAnswer{Compile: "cost estimation failed: " + err.Error()}, nil
	}
	answer := expressionAnswer{
		Type:     ast.OutputType().String(),
		Estimate: []string{strconv.FormatUint(estimate.Min, 10), strconv.FormatUint(estimate.Max, 10)},
	}
	variables, err := scope.variables(question)
	if err != nil {
		return nil, err
	}
	value, details, err := program.ContextEval(context.Background(), variables)
	if details != nil {
		answer.Cost = details.ActualCost()
	}
	if err != nil {
		answer.Error = err.Error()
	} else {
		answer.Value = canonicalValue(value)
	}
	return answer, nil
}

// scope is what an expression may speak of, and the environment to compile it in.
type scope struct {
	structural *structuralschema.Structural
	declType   *apiservercel.DeclType
	env        *cel.Env
}

// scopes keeps what was made: many questions have the same schema, and an environment takes longer to make than an expression to answer.
var scopes = map[string]scope{}

func scopeOf(question expressionQuestion) (scope, error) {
	key := fmt.Sprintf("%t %t %t %s", question.Root, question.OptionalOldSelf, question.Stored, question.Schema)
	if known, ok := scopes[key]; ok {
		return known, nil
	}
	made := scope{}
	if question.Schema != nil {
		_, structural, err := readSchema(question.Schema)
		if err != nil {
			return scope{}, err
		}
		made.structural = structural
		made.declType = model.SchemaDeclType(structural, question.Root).MaybeAssignTypeName(selfTypeName)
	}
	env, err := made.environment(question)
	if err != nil {
		return scope{}, err
	}
	made.env = env
	scopes[key] = made
	return made, nil
}

func (s scope) environment(question expressionQuestion) (*cel.Env, error) {
	selfType := cel.DynType
	var declTypes []*apiservercel.DeclType
	if s.declType != nil {
		selfType = s.declType.CelType()
		declTypes = append(declTypes, s.declType)
	}
	oldSelfType := selfType
	if question.OptionalOldSelf {
		oldSelfType = types.NewOptionalType(selfType)
	}
	base := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	set, err := base.Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions: []cel.EnvOption{
			cel.Variable(schemacel.ScopedVarName, selfType),
			cel.Variable(schemacel.OldScopedVarName, oldSelfType),
		},
		DeclTypes: declTypes,
	})
	if err != nil {
		return nil, err
	}
	if question.Stored {
		return set.StoredExpressionsEnv(), nil
	}
	return set.NewExpressionsEnv(), nil
}

// variables has what was given: an absent self or oldSelf has no value, unless oldSelf is an optional.
func (s scope) variables(question expressionQuestion) (map[string]any, error) {
	structural := s.structural
	if structural != nil && question.Root {
		structural = model.WithTypeAndObjectMeta(structural)
	}
	value := func(text json.RawMessage) (ref.Val, error) {
		decoded, err := readValue(text)
		if err != nil {
			return nil, err
		}
		if structural != nil {
			return schemacel.UnstructuredToVal(decoded, structural), nil
		}
		return s.env.CELTypeAdapter().NativeToValue(decoded), nil
	}
	variables := map[string]any{}
	if question.OptionalOldSelf {
		variables[schemacel.OldScopedVarName] = types.OptionalNone
	}
	if question.Self != nil {
		self, err := value(question.Self)
		if err != nil {
			return nil, err
		}
		variables[schemacel.ScopedVarName] = self
	}
	if question.OldSelf != nil {
		oldSelf, err := value(question.OldSelf)
		if err != nil {
			return nil, err
		}
		variables[schemacel.OldScopedVarName] = oldSelf
		if question.OptionalOldSelf {
			variables[schemacel.OldScopedVarName] = types.OptionalOf(oldSelf)
		}
	}
	return variables, nil
}

// sizeEstimator bounds the sizes of what a schema declares, as the one of apiextensions does, which that package keeps to itself.
type sizeEstimator struct {
	root *apiservercel.DeclType
}

func (e *sizeEstimator) EstimateSize(element checker.AstNode) *checker.SizeEstimate {
	path := element.Path()
	if len(path) == 0 {
		return nil
	}
	node := e.root
	for _, name := range path[1:] {
		node = childType(node, name)
		if node == nil {
			return nil
		}
	}
	return &checker.SizeEstimate{Min: 0, Max: uint64(node.MaxElements)}
}

func (e *sizeEstimator) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

func childType(node *apiservercel.DeclType, name string) *apiservercel.DeclType {
	switch name {
	case "@items", "@values":
		return node.ElemType
	case "@keys":
		return node.KeyType
	}
	if field, ok := node.Fields[name]; ok {
		return field.Type
	}
	return nil
}
