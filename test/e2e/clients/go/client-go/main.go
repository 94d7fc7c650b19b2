// A client-go program against wardle and core kinds: discovery, reading and writing, pages, watches, informers, typed clients. KUBECONFIG says where.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"annex.test/clients/internal/check"
)

const namespace = "client-go"

var (
	flunders      = schema.GroupVersionResource{Group: "wardle.example.com", Version: "v1beta1", Resource: "flunders"}
	oldFlunders   = schema.GroupVersionResource{Group: "wardle.example.com", Version: "v1alpha1", Resource: "flunders"}
	flunderKind   = schema.GroupVersionKind{Group: "wardle.example.com", Version: "v1beta1", Kind: "Flunder"}
	flundersGroup = flunders.GroupResource().String()
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	warnings := &warningLog{}
	config := newConfig(warnings)
	client, err := dynamic.NewForConfig(config)
	check.Ok(err, "making a dynamic client")

	discover(config)
	typedClients(ctx, config)
	writeAndRead(ctx, client.Resource(flunders).Namespace(namespace))
	deprecatedVersion(ctx, client, warnings)
	conflict(ctx, client.Resource(flunders).Namespace(namespace))
	pages(ctx, client)
	watchFromList(ctx, client.Resource(flunders).Namespace(namespace))
	metadataClient(ctx, config)
	watchListInformer(ctx, config)
	deleteNamespace(ctx, config)
	fmt.Println("ok")
}

func newConfig(warnings rest.WarningHandler) *rest.Config {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	check.Ok(err, "reading KUBECONFIG")
	config.QPS = -1 // no waiting of the client's own
	config.WarningHandler = warnings
	return config
}

func newFlunder(name string, labels map[string]string) *unstructured.Unstructured {
	flunder := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"flunderReference": "other", "referenceType": "Flunder"}}}
	flunder.SetGroupVersionKind(flunderKind)
	flunder.SetName(name)
	flunder.SetLabels(labels)
	return flunder
}

func names(items []unstructured.Unstructured) []string {
	all := []string{}
	for _, item := range items {
		all = append(all, item.GetName())
	}
	return all
}

func selectLabel(selector string) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: selector}
}

// warningLog keeps the Warning headers.
type warningLog struct {
	mutex sync.Mutex
	texts []string
}

func (log *warningLog) HandleWarningHeader(code int, _ string, text string) {
	log.mutex.Lock()
	defer log.mutex.Unlock()
	log.texts = append(log.texts, fmt.Sprintf("%d %s", code, text))
}

func (log *warningLog) take() []string {
	log.mutex.Lock()
	defer log.mutex.Unlock()
	taken := log.texts
	log.texts = nil
	return taken
}
