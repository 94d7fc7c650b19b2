package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apiserver/pkg/authorization/authorizer"
)

// checkAnswer is what the authorizer answers to the checks that it is about: those whose members are these, as far as they are given.
type checkAnswer struct {
	User     string `json:"user,omitempty"`
	Verb     string `json:"verb,omitempty"`
	Path     string `json:"path,omitempty"`
	Resource string `json:"resource,omitempty"`
	// Decision is Allow, Deny or NoOpinion.
	Decision string `json:"decision"`
	Reason   string `json:"reason,omitempty"`
	Error    string `json:"error,omitempty"`
}

// check is a check that the authorizer was asked for.
type check struct {
	User          string   `json:"user"`
	UID           string   `json:"uid,omitempty"`
	Groups        []string `json:"groups,omitempty"`
	Verb          string   `json:"verb"`
	IsResource    bool     `json:"isResource"`
	Path          string   `json:"path,omitempty"`
	Group         string   `json:"group,omitempty"`
	Version       string   `json:"version,omitempty"`
	Resource      string   `json:"resource,omitempty"`
	Subresource   string   `json:"subresource,omitempty"`
	Namespace     string   `json:"namespace,omitempty"`
	Name          string   `json:"name,omitempty"`
	FieldSelector []string `json:"fieldSelector,omitempty"`
	FieldError    string   `json:"fieldError,omitempty"`
	LabelSelector []string `json:"labelSelector,omitempty"`
	LabelError    string   `json:"labelError,omitempty"`
}

// recordingAuthorizer answers with the first answer that is about a check, and has no opinion of others.
type recordingAuthorizer struct {
	answers []checkAnswer
	checks  []check
}

func (r *recordingAuthorizer) Authorize(_ context.Context, attributes authorizer.Attributes) (authorizer.Decision, string, error) {
	asked := checkOf(attributes)
	r.checks = append(r.checks, asked)
	for _, answer := range r.answers {
		if !answer.isAbout(asked) {
			continue
		}
		decision, ok := decisions[answer.Decision]
		if !ok {
			panic(fmt.Sprintf("no decision %q", answer.Decision))
		}
		if answer.Error != "" {
			return decision, answer.Reason, errors.New(answer.Error)
		}
		return decision, answer.Reason, nil
	}
	return authorizer.DecisionNoOpinion, "", nil
}

var decisions = map[string]authorizer.Decision{
	"Allow":     authorizer.DecisionAllow,
	"Deny":      authorizer.DecisionDeny,
	"NoOpinion": authorizer.DecisionNoOpinion,
}

func (a checkAnswer) isAbout(asked check) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(a.User, asked.User) && is(a.Verb, asked.Verb) && is(a.Path, asked.Path) && is(a.Resource, asked.Resource)
}

func checkOf(attributes authorizer.Attributes) check {
	asked := check{
		User:        attributes.GetUser().GetName(),
		UID:         attributes.GetUser().GetUID(),
		Groups:      attributes.GetUser().GetGroups(),
		Verb:        attributes.GetVerb(),
		IsResource:  attributes.IsResourceRequest(),
		Path:        attributes.GetPath(),
		Group:       attributes.GetAPIGroup(),
		Version:     attributes.GetAPIVersion(),
		Resource:    attributes.GetResource(),
		Subresource: attributes.GetSubresource(),
		Namespace:   attributes.GetNamespace(),
		Name:        attributes.GetName(),
	}
	fields, err := attributes.GetFieldSelector()
	if err != nil {
		asked.FieldError = err.Error()
	}
	for _, requirement := range fields {
		asked.FieldSelector = append(asked.FieldSelector, requirement.Field+string(requirement.Operator)+requirement.Value)
	}
	labels, err := attributes.GetLabelSelector()
	if err != nil {
		asked.LabelError = err.Error()
	}
	for _, requirement := range labels {
		asked.LabelSelector = append(asked.LabelSelector, strings.Join([]string{requirement.Key(), string(requirement.Operator()), strings.Join(requirement.Values().List(), ",")}, " "))
	}
	return asked
}
