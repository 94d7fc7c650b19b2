package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager"
)

type managedCase struct {
	// The first one is that in which objects are stored.
	Versions []versionDef `json:"versions"`
	// See newWorld.
	DropsUnknown bool              `json:"dropsUnknown"`
	Ops          []json.RawMessage `json:"ops"`
}

type managedOp struct {
	// redefine: the kind has other versions from now on; delete: there is no object any more; or a write.
	Op       string       `json:"op"`
	Versions []versionDef `json:"versions"`

	Version     string `json:"version"`
	Subresource string `json:"subresource"`
	Manager     string `json:"manager"`
	// Seconds since the beginning of the year 2000; never before that of an earlier operation.
	Second int `json:"second"`
	// Of apply.
	Force bool `json:"force"`
	// What is applied; of replace, the whole object; of patch, a JSON merge patch.
	Object map[string]any `json:"object"`
	// Of replace: whether the object has the managedFields that the client read.
	KeepsManagedFields bool `json:"keepsManagedFields"`
}

// managedAnswer is what became of one operation: the object in the version of the request, or why not.
type managedAnswer struct {
	Object    map[string]any `json:"object,omitempty"`
	Message   string         `json:"message,omitempty"`
	Conflicts []conflict     `json:"conflicts,omitempty"`
}

type conflict struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func answerManaged(t *testing.T, line []byte) (result any, err error) {
	var asked managedCase
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	world, err := newWorld(asked.Versions, asked.DropsUnknown)
	if err != nil {
		return nil, err
	}
	var panicked any
	synctest.Test(t, func(*testing.T) {
		defer func() { panicked = recover() }()
		result, err = answerSequence(asked, world)
	})
	if panicked != nil {
		return nil, fmt.Errorf("panic: %v", panicked)
	}
	return result, err
}

func answerSequence(asked managedCase, world *world) (any, error) {
	start := time.Now()
	session := &session{world: world}
	answers := make([]managedAnswer, 0, len(asked.Ops))
	for _, raw := range asked.Ops {
		var op managedOp
		// Tells integers from floats.
		if err := utiljson.Unmarshal(raw, &op); err != nil {
			return nil, err
		}
		time.Sleep(time.Until(start.Add(time.Duration(op.Second) * time.Second)))
		switch op.Op {
		case "redefine":
			world, err := newWorld(op.Versions, asked.DropsUnknown)
			if err != nil {
				return nil, err
			}
			session.world = world
			answers = append(answers, managedAnswer{})
		case "delete":
			session.live = nil
			answers = append(answers, managedAnswer{})
		default:
			answer, err := session.write(op)
			if err != nil {
				return nil, err
			}
			answers = append(answers, answer)
		}
	}
	return answers, nil
}

// session is one object and what is done to it.
type session struct {
	world *world
	// In the version in which objects are stored; nil when there is none.
	live *unstructured.Unstructured
}

func (s *session) write(op managedOp) (managedAnswer, error) {
	version := schema.GroupVersion{Group: group, Version: op.Version}
	current, err := s.current(version)
	if err != nil {
		return managedAnswer{}, err
	}
	before := current.DeepCopy()
	manager, err := s.world.fieldManager(op.Version, op.Subresource)
	if err != nil {
		return managedAnswer{}, err
	}
	var next *unstructured.Unstructured
	switch op.Op {
	case "apply":
		applied, err := manager.Apply(current, &unstructured.Unstructured{Object: op.Object}, op.Manager, op.Force)
		if err != nil {
			return refusal(err), nil
		}
		next = applied.(*unstructured.Unstructured)
	case "replace", "patch":
		wanted := s.wanted(op, before)
		s.world.settle(wanted)
		next = manager.UpdateNoErrors(current, wanted, op.Manager).(*unstructured.Unstructured)
	default:
		return managedAnswer{}, fmt.Errorf("unknown operation %q", op.Op)
	}
	if s.live != nil {
		settled, err := fieldmanager.IgnoreManagedFieldsTimestampsTransformer(context.Background(), next, before)
		if err != nil {
			return managedAnswer{}, err
		}
		next = settled.(*unstructured.Unstructured)
	}
	if s.world.versions[op.Version].HasStatus {
		keepOthers(next.Object, before.Object, op.Subresource)
	}
	next.SetUID("u")
	stored, err := s.world.ConvertToVersion(next, s.world.stored)
	if err != nil {
		return managedAnswer{}, err
	}
	s.live = stored.(*unstructured.Unstructured)
	return managedAnswer{Object: next.Object}, nil
}

func (s *session) current(version schema.GroupVersion) (*unstructured.Unstructured, error) {
	if s.live == nil {
		empty, err := creater{}.New(version.WithKind(kind))
		return empty.(*unstructured.Unstructured), err
	}
	converted, err := s.world.ConvertToVersion(s.live, version)
	if err != nil {
		return nil, err
	}
	current := converted.(*unstructured.Unstructured)
	s.world.settle(current)
	return current, nil
}

// wanted is the object as the client of an update or patch wants it.
func (s *session) wanted(op managedOp, current *unstructured.Unstructured) *unstructured.Unstructured {
	if op.Op == "patch" {
		return &unstructured.Unstructured{Object: mergePatch(current.DeepCopy().Object, op.Object).(map[string]any)}
	}
	next := &unstructured.Unstructured{Object: op.Object}
	if uid := current.GetUID(); uid != "" {
		next.SetUID(uid)
	}
	if fields := current.GetManagedFields(); op.KeepsManagedFields && fields != nil {
		next.SetManagedFields(fields)
	}
	return next
}

// mergePatch is RFC 7386.
func mergePatch(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	fields, ok := target.(map[string]any)
	if !ok {
		fields = map[string]any{}
	}
	for name, change := range changes {
		if change == nil {
			delete(fields, name)
		} else {
			fields[name] = mergePatch(fields[name], change)
		}
	}
	return fields
}

// keepOthers undoes what a request cannot write: the status, or everything but the status and managedFields.
func keepOthers(next, before map[string]any, subresource string) {
	if subresource == "" {
		setOrDelete(next, "status", before["status"])
		return
	}
	managed, hasManaged, _ := unstructured.NestedFieldNoCopy(next, "metadata", "managedFields")
	status := next["status"]
	for name := range next {
		delete(next, name)
	}
	for name, value := range before {
		next[name] = value
	}
	setOrDelete(next, "status", status)
	metadata, ok := next["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		next["metadata"] = metadata
	}
	delete(metadata, "managedFields")
	if hasManaged {
		metadata["managedFields"] = managed
	}
}

func setOrDelete(fields map[string]any, name string, value any) {
	if value == nil {
		delete(fields, name)
	} else {
		fields[name] = value
	}
}

func refusal(err error) managedAnswer {
	answer := managedAnswer{Message: err.Error()}
	var status *apierrors.StatusError
	if errors.As(err, &status) && status.ErrStatus.Details != nil {
		for _, cause := range status.ErrStatus.Details.Causes {
			answer.Conflicts = append(answer.Conflicts, conflict{cause.Field, cause.Message})
		}
		// Which manager comes first is a matter of chance.
		slices.SortStableFunc(answer.Conflicts, func(left, right conflict) int { return strings.Compare(left.Message, right.Message) })
	}
	return answer
}
