package main

import (
	"context"
	"net/http"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"annex.test/clients/internal/check"
)

// changeOne creates, patches and deletes a flunder: three events.
func changeOne(ctx context.Context, client dynamic.ResourceInterface, name string) {
	_, err := client.Create(ctx, newFlunder(name, map[string]string{"part": "watch"}), metav1.CreateOptions{})
	check.Ok(err, "creating a flunder")
	_, err = client.Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"labels":{"step":"2"}}}`), metav1.PatchOptions{})
	check.Ok(err, "patching a flunder")
	check.Ok(client.Delete(ctx, name, metav1.DeleteOptions{}), "deleting a flunder")
}

func watchFromList(ctx context.Context, client dynamic.ResourceInterface) {
	list, err := client.List(ctx, metav1.ListOptions{})
	check.Ok(err, "listing")
	changeOne(ctx, client, "watched") // before the watch: nothing is lost between list and watch
	watcher, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion(), AllowWatchBookmarks: true})
	check.Ok(err, "watching")
	defer watcher.Stop()
	changeOne(ctx, client, "watched-too")
	previous := list.GetResourceVersion()
	for _, name := range []string{"watched", "watched-too"} {
		for _, want := range []watch.EventType{watch.Added, watch.Modified, watch.Deleted} {
			event := check.Receive(watcher.ResultChan(), string(want))
			for event.Type == watch.Bookmark {
				event = check.Receive(watcher.ResultChan(), string(want))
			}
			object, isObject := event.Object.(*unstructured.Unstructured)
			check.That(isObject, "the event holds an object: %v", event)
			check.Equal("the event", event.Type, want)
			check.Equal("the event's object", object.GetName(), name)
			order, err := resourceversion.CompareResourceVersion(previous, object.GetResourceVersion())
			check.Ok(err, "comparing resource versions")
			check.That(order < 0, "the resource versions rise: %s, %s", previous, object.GetResourceVersion())
			previous = object.GetResourceVersion()
		}
	}
	expired(ctx, client)
}

// Revisions that the server no longer has: 410, upon which a client lists anew.
func expired(ctx context.Context, client dynamic.ResourceInterface) {
	watcher, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: "1"})
	if err == nil {
		defer watcher.Stop()
		event := check.Receive(watcher.ResultChan(), "an event of a watch from long ago")
		check.Equal("the event of a watch from long ago", event.Type, watch.Error)
		err = apierrors.FromObject(event.Object)
	}
	check.That(apierrors.IsResourceExpired(err) || apierrors.IsGone(err), "a watch from long ago is told that it is too old: %v", err)
	_, err = client.List(ctx, metav1.ListOptions{ResourceVersion: "1", ResourceVersionMatch: metav1.ResourceVersionMatchExact})
	check.That(apierrors.IsResourceExpired(err), "a list of long ago has expired: %v", err)
}

// requestLog keeps the queries of the requests for flunders.
type requestLog struct {
	mutex   sync.Mutex
	queries []string
}

func (log *requestLog) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		if request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/flunders") {
			log.mutex.Lock()
			log.queries = append(log.queries, request.URL.RawQuery)
			log.mutex.Unlock()
		}
		return next.RoundTrip(request)
	})
}

func (log *requestLog) count(holds func(query string) bool) int {
	log.mutex.Lock()
	defer log.mutex.Unlock()
	count := 0
	for _, query := range log.queries {
		if holds(query) {
			count++
		}
	}
	return count
}

type roundTripper func(*http.Request) (*http.Response, error)

func (do roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return do(request) }

// An informer that fills its cache from the watch alone, and says so of each object in order.
func watchListInformer(ctx context.Context, shared *rest.Config) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	requests := &requestLog{}
	config := rest.CopyConfig(shared)
	config.Wrap(requests.wrap)
	client, err := dynamic.NewForConfig(config)
	check.Ok(err, "making a dynamic client")
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, namespace, nil)
	informer := factory.ForResource(flunders)
	events := make(chan string, 100)
	tell := func(what string, object any) {
		key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
		check.Ok(err, "the key of an informer's object")
		events <- what + " " + key
	}
	registration, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, isInInitialList bool) {
			if !isInInitialList {
				tell("add", object)
			}
		},
		UpdateFunc: func(_, object any) { tell("update", object) },
		DeleteFunc: func(object any) { tell("delete", object) },
	})
	check.Ok(err, "adding a handler")
	factory.Start(ctx.Done())
	check.That(cache.WaitForCacheSync(ctx.Done(), registration.HasSynced), "the informer's cache fills")
	held, err := informer.Lister().ByNamespace(namespace).List(labels.Everything())
	check.Ok(err, "asking the informer's cache")
	check.Equal("the number of objects in the cache", len(held), 25)
	changeOne(ctx, client.Resource(flunders).Namespace(namespace), "informed")
	for _, what := range []string{"add", "update", "delete"} {
		check.Equal("the informer's event", check.Receive(events, what), what+" "+namespace+"/informed")
	}
	check.Equal("watches with initial events", requests.count(func(query string) bool { return strings.Contains(query, "sendInitialEvents=true") }), 1)
	// The list that remains is the consistency detector's, of exactly the revision that the initial events ended with.
	lists := func(query string) bool {
		return !strings.Contains(query, "watch=true") && !strings.Contains(query, "resourceVersionMatch=Exact")
	}
	check.Equal("lists because the server could not send initial events", requests.count(lists), 0)
	compared := func(query string) bool { return strings.Contains(query, "resourceVersionMatch=Exact") }
	check.Equal("comparisons of the detector (KUBE_WATCHLIST_INCONSISTENCY_DETECTOR=true)", requests.count(compared), 1)
}
