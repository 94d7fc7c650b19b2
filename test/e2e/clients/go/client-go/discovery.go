package main

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/kube-openapi/pkg/util/proto"

	"annex.test/clients/internal/check"
)

func discover(config *rest.Config) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	check.Ok(err, "making a discovery client")
	aggregatedAndPlain(client, config)
	restMapper(client)
	openAPI(client)
	version, err := client.ServerVersion()
	check.Ok(err, "asking for the version")
	check.That(strings.HasPrefix(version.GitVersion, "v1."), "the version %q is one of Kubernetes'", version.GitVersion)
}

// Both forms of discovery say the same.
func aggregatedAndPlain(client *discovery.DiscoveryClient, config *rest.Config) {
	groups, byVersion, failed, err := client.GroupsAndMaybeResources()
	check.Ok(err, "aggregated discovery")
	check.That(byVersion != nil, "discovery is aggregated: it has resources")
	check.Equal("failed group versions", len(failed), 0)
	check.Equal("the first group", groups.Groups[0].Name, "")

	plain, err := discovery.NewDiscoveryClientForConfig(config)
	check.Ok(err, "making a discovery client")
	plain.UseLegacyDiscovery = true
	_, lists, err := plain.ServerGroupsAndResources()
	check.Ok(err, "plain discovery")
	check.Equal("the number of group versions", len(lists), len(byVersion))
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		check.Ok(err, "parsing a group version")
		for _, want := range list.APIResources {
			found := false
			for _, got := range byVersion[version].APIResources {
				if got.Name != want.Name {
					continue
				}
				found = true
				check.Equal(list.GroupVersion+" "+want.Name+" kind", got.Kind, want.Kind)
				check.Equal(list.GroupVersion+" "+want.Name+" verbs", got.Verbs, want.Verbs)
				check.Equal(list.GroupVersion+" "+want.Name+" namespaced", got.Namespaced, want.Namespaced)
				check.Equal(list.GroupVersion+" "+want.Name+" short names", got.ShortNames, want.ShortNames)
			}
			check.That(found, "aggregated discovery has %s %s", list.GroupVersion, want.Name)
		}
	}
}

func restMapper(client *discovery.DiscoveryClient) {
	cached := memory.NewMemCacheClient(client)
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "wardle.example.com", Kind: "Flunder"})
	check.Ok(err, "mapping the kind Flunder")
	check.Equal("the resource of the kind Flunder, in its preferred version", mapping.Resource, flunders)
	check.Equal("the scope of the kind Flunder", mapping.Scope.Name(), meta.RESTScopeNameNamespace)
	fischer, err := mapper.RESTMapping(schema.GroupKind{Group: "wardle.example.com", Kind: "Fischer"})
	check.Ok(err, "mapping the kind Fischer")
	check.Equal("the scope of the kind Fischer", fischer.Scope.Name(), meta.RESTScopeNameRoot)
	kind, err := mapper.KindFor(schema.GroupVersionResource{Resource: "flunder"})
	check.Ok(err, "the kind of the singular flunder")
	check.Equal("the kind of the singular flunder", kind, flunderKind)
	namespaces, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: "ns"})
	check.Ok(err, "the resource of ns")
	check.Equal("the resource of ns", namespaces.Resource, "namespaces")
	_, err = mapper.KindFor(schema.GroupVersionResource{Resource: "nonesuch"})
	check.That(meta.IsNoMatchError(err), "nonesuch is no resource: %v", err)
}

// v2 comes as protobuf: client-go accepts nothing else.
func openAPI(client *discovery.DiscoveryClient) {
	document, err := client.OpenAPISchema()
	check.Ok(err, "reading OpenAPI v2")
	models, err := proto.NewOpenAPIData(document)
	check.Ok(err, "parsing OpenAPI v2")
	kind := findModel(models, flunderKind)
	check.That(kind != nil, "OpenAPI v2 has a definition of %v", flunderKind)
	check.That(kind.Fields["spec"] != nil && kind.Fields["metadata"] != nil, "the definition has the fields of an object: %v", kind.Keys())
	paths, err := client.OpenAPIV3().Paths()
	check.Ok(err, "reading the paths of OpenAPI v3")
	wardle, ok := paths["apis/wardle.example.com/v1beta1"]
	check.That(ok, "OpenAPI v3 has a document of wardle.example.com/v1beta1")
	text, err := wardle.Schema("application/json")
	check.Ok(err, "reading OpenAPI v3 of wardle.example.com/v1beta1")
	check.That(strings.Contains(string(text), `"flunderReference"`), "OpenAPI v3 tells of flunderReference")
}

// findModel looks for a kind by its extension, as kubectl does.
func findModel(models proto.Models, want schema.GroupVersionKind) *proto.Kind {
	for _, name := range models.ListModels() {
		model := models.LookupModel(name)
		kinds, _ := model.GetExtensions()["x-kubernetes-group-version-kind"].([]any)
		for _, one := range kinds {
			fields, _ := one.(map[any]any)
			if fields["group"] == want.Group && fields["version"] == want.Version && fields["kind"] == want.Kind {
				kind, _ := model.(*proto.Kind)
				return kind
			}
		}
	}
	return nil
}
