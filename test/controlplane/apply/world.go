package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

const (
	group = "smd.example.com"
	kind  = "Thing"
)

// versionDef is a version of the kind that a case is about.
type versionDef struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	// What this version calls the fields of spec that the first version calls otherwise.
	Renames map[string]string `json:"renames"`
	// The fields of spec, as the first version calls them, that this version does not have.
	Drops []string `json:"drops"`
	// Whether there is a status subresource.
	HasStatus bool `json:"hasStatus"`
}

// world is a kind as a kube-apiserver serves it.
type world struct {
	versions     map[string]versionDef
	stored       schema.GroupVersion
	structural   map[string]*structuralschema.Structural
	types        managedfields.TypeConverter
	dropsUnknown bool
	managers     map[managerKey]*managedfields.FieldManager
}

type managerKey struct{ version, subresource string }

// newWorld makes of schemas what the handler of custom resources makes of a CustomResourceDefinition.
//
// dropsUnknown is whether what is owned in a version that there is not is forgotten, as for compiled-in kinds, or cannot be
// converted at all, as for custom resources.
func newWorld(versions []versionDef, dropsUnknown bool) (*world, error) {
	w := &world{
		versions:     map[string]versionDef{},
		stored:       schema.GroupVersion{Group: group, Version: versions[0].Name},
		structural:   map[string]*structuralschema.Structural{},
		dropsUnknown: dropsUnknown,
		managers:     map[managerKey]*managedfields.FieldManager{},
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	crd.Name = "things." + group
	crd.Spec.Group = group
	crd.Spec.Scope = apiextensionsv1.NamespaceScoped
	crd.Spec.Names = apiextensionsv1.CustomResourceDefinitionNames{Kind: kind, ListKind: kind + "List", Plural: "things", Singular: "thing"}
	for _, version := range versions {
		props := &apiextensionsv1.JSONSchemaProps{}
		if err := json.Unmarshal(version.Schema, props); err != nil {
			return nil, err
		}
		structural, err := structuralOf(props)
		if err != nil {
			return nil, err
		}
		w.versions[version.Name] = version
		w.structural[version.Name] = structural
		crd.Spec.Versions = append(crd.Spec.Versions, apiextensionsv1.CustomResourceDefinitionVersion{
			Name: version.Name, Served: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: props},
		})
	}
	models := map[string]*spec.Schema{}
	for _, version := range versions {
		document, err := builder.BuildOpenAPIV3(crd, version.Name, builder.Options{})
		if err != nil {
			return nil, err
		}
		for name, model := range document.Components.Schemas {
			models[name] = model
		}
	}
	types, err := managedfields.NewTypeConverter(models, false)
	if err != nil {
		return nil, err
	}
	w.types = types
	return w, nil
}

func structuralOf(props *apiextensionsv1.JSONSchemaProps) (*structuralschema.Structural, error) {
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(props, internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal)
	if err != nil {
		return nil, err
	}
	// The builder takes any other schema for one that says nothing.
	if faults := structuralschema.ValidateStructural(nil, structural); len(faults) > 0 {
		return nil, fmt.Errorf("not structural: %v", faults.ToAggregate())
	}
	return structural, nil
}

func (w *world) fieldManager(version, subresource string) (*managedfields.FieldManager, error) {
	key := managerKey{version, subresource}
	if manager, ok := w.managers[key]; ok {
		return manager, nil
	}
	gvk := schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
	manager, err := managedfields.NewDefaultCRDFieldManager(
		w.types, w, w, creater{}, gvk, gvk.GroupVersion(), subresource, fieldpath.NewExcludeFilterSetMap(w.resetFields(version, subresource)),
	)
	if err == nil {
		w.managers[key] = manager
	}
	return manager, err
}

// resetFields are those that a request cannot write: the rules of the strategies of custom resources.
func (w *world) resetFields(version, subresource string) map[fieldpath.APIVersion]*fieldpath.Set {
	fields := map[fieldpath.APIVersion]*fieldpath.Set{}
	if !w.versions[version].HasStatus {
		return fields
	}
	if subresource == "" {
		fields[fieldpath.APIVersion(group+"/"+version)] = fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
		return fields
	}
	for name, version := range w.versions {
		if version.HasStatus {
			set := fieldpath.NewSet(fieldpath.MakePathOrDie("metadata"), fieldpath.MakePathOrDie("spec"))
			fields[fieldpath.APIVersion(group+"/"+name)] = set
		}
	}
	return fields
}

// Default fills in the defaults of the schema.
func (w *world) Default(in runtime.Object) {
	object := in.(*unstructured.Unstructured)
	defaulting.Default(object.Object, w.structural[object.GroupVersionKind().Version])
}

// settle does what is done to whatever is decoded: it fills in defaults and takes away nulls.
func (w *world) settle(object *unstructured.Unstructured) {
	w.Default(object)
	defaulting.PruneNonNullableNullsWithoutDefaults(object.Object, w.structural[object.GroupVersionKind().Version])
}

// ConvertToVersion is the conversion that versionDef describes.
func (w *world) ConvertToVersion(in runtime.Object, target runtime.GroupVersioner) (runtime.Object, error) {
	object := in.DeepCopyObject().(*unstructured.Unstructured)
	from := object.GroupVersionKind()
	to, ok := target.KindForGroupVersionKinds([]schema.GroupVersionKind{from})
	if !ok {
		return nil, fmt.Errorf("%v cannot be converted to %v", from, target)
	}
	for _, gvk := range []schema.GroupVersionKind{from, to} {
		if _, ok := w.versions[gvk.Version]; ok && gvk.Group == group {
			continue
		}
		if w.dropsUnknown {
			return nil, runtime.NewNotRegisteredErrForKind("test", gvk)
		}
		return nil, fmt.Errorf("no version %v", gvk)
	}
	if from.Version == to.Version {
		return object, nil
	}
	if fields, ok := object.Object["spec"].(map[string]any); ok {
		object.Object["spec"] = convertSpec(fields, w.versions[from.Version], w.versions[to.Version])
	}
	object.SetAPIVersion(to.GroupVersion().String())
	return object, nil
}

func convertSpec(fields map[string]any, from, to versionDef) map[string]any {
	toFirst := map[string]string{}
	for first, name := range from.Renames {
		toFirst[name] = first
	}
	dropped := map[string]bool{}
	for _, name := range to.Drops {
		dropped[name] = true
	}
	converted := map[string]any{}
	// In order: two fields may come to have one name.
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fields[name]
		if first, ok := toFirst[name]; ok {
			name = first
		}
		if dropped[name] {
			continue
		}
		if renamed, ok := to.Renames[name]; ok {
			name = renamed
		}
		converted[name] = value
	}
	return converted
}

// Convert is never called for custom resources.
func (w *world) Convert(_, _, _ any) error {
	return fmt.Errorf("not implemented")
}

// ConvertFieldLabel is never called by managers of fields.
func (w *world) ConvertFieldLabel(_ schema.GroupVersionKind, _, _ string) (string, string, error) {
	return "", "", fmt.Errorf("not implemented")
}

// creater makes what there is before an object is created.
type creater struct{}

func (creater) New(gvk schema.GroupVersionKind) (runtime.Object, error) {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetGroupVersionKind(gvk)
	return object, nil
}
