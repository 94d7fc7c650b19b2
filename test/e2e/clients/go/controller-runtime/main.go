// A controller-runtime program against Gadgets: a manager with its cache, a reconciler with a finalizer and a status, and the client's
// own reading and writing. KUBECONFIG says where.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"annex.test/clients/internal/check"
)

const (
	namespace = "controller-runtime"
	sizeIndex = "spec.size"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	ctrl.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	check.Ok(err, "reading KUBECONFIG")
	config.QPS = -1 // no waiting of the client's own
	scheme := runtime.NewScheme()
	check.Ok(corev1.AddToScheme(scheme), "adding core kinds")
	check.Ok(addToScheme(scheme), "adding gadgets")
	direct, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	check.Ok(err, "making a client")

	check.Ok(direct.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}), "creating the namespace")
	writeAndConflict(ctx, direct)
	pages(ctx, direct)
	watchFromList(ctx, direct)

	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Cache:                  cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
	})
	check.Ok(err, "making a manager")
	check.Ok(manager.GetFieldIndexer().IndexField(ctx, &Gadget{}, sizeIndex, func(object client.Object) []string {
		return []string{strconv.Itoa(object.(*Gadget).Spec.Size)}
	}), "adding an index")
	reconciler := &reconciler{client: manager.GetClient(), cleaned: map[string]int{}}
	check.Ok(ctrl.NewControllerManagedBy(manager).For(&Gadget{}).Complete(reconciler), "making a controller")
	ended := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() { ended <- manager.Start(running) }()

	reconciled(ctx, manager, direct, reconciler)
	deleteNamespace(ctx, direct, reconciler)
	stop()
	check.Ok(check.Receive(ended, "the manager's end"), "running the manager")
	fmt.Println("ok")
}

func key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: namespace, Name: name}
}

func writeAndConflict(ctx context.Context, direct client.Client) {
	first := newGadget("contested", 1, nil)
	check.Ok(direct.Create(ctx, first), "creating a gadget")
	check.Equal("the generation of a new gadget", first.Generation, int64(1))
	check.That(apierrors.IsAlreadyExists(direct.Create(ctx, newGadget("contested", 1, nil))), "creating it again is refused")
	check.That(apierrors.IsInvalid(direct.Create(ctx, newGadget("large", 101, nil))), "a size beyond the maximum is Invalid")
	second := &Gadget{}
	check.Ok(direct.Get(ctx, key("contested"), second), "reading it")
	first.Spec.Size = 2
	first.Status.Phase = "Forged"
	check.Ok(direct.Update(ctx, first), "the first update")
	check.Equal("the generation after a change of the spec", first.Generation, int64(2))
	check.Equal("the status after an update of the object", first.Status, GadgetStatus{})
	second.Labels = map[string]string{"second": "yes"}
	check.That(apierrors.IsConflict(direct.Update(ctx, second)), "an update of what was read before is a conflict")
	attempts := 0
	check.Ok(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		attempts++
		if attempts > 1 {
			check.Ok(direct.Get(ctx, key("contested"), second), "reading it again")
		}
		second.Labels = map[string]string{"second": "yes"}
		return direct.Update(ctx, second)
	}), "updating with retries")
	check.Equal("attempts", attempts, 2)
	check.Equal("what the first writer wrote", second.Spec.Size, 2)
	check.Equal("the generation after a change of labels", second.Generation, int64(2))
	check.Ok(direct.Delete(ctx, second, client.Preconditions{UID: &second.UID, ResourceVersion: &second.ResourceVersion}), "deleting it")
	check.That(apierrors.IsNotFound(direct.Get(ctx, key("contested"), second)), "it is gone")
}

func pages(ctx context.Context, direct client.Client) {
	for i := range 25 {
		check.Ok(direct.Create(ctx, newGadget(fmt.Sprintf("page-%02d", i), i%5, map[string]string{"part": "pages"})), "creating a gadget")
	}
	sizes := []int{}
	token, revision := "", ""
	for {
		page := &GadgetList{}
		check.Ok(direct.List(ctx, page, client.InNamespace(namespace), client.Limit(10), client.Continue(token)), "reading a page")
		sizes = append(sizes, len(page.Items))
		check.That(revision == "" || revision == page.ResourceVersion, "all pages are of one revision")
		check.Equal("the first of a page", page.Items[0].Name, fmt.Sprintf("page-%02d", 10*(len(sizes)-1)))
		token, revision = page.Continue, page.ResourceVersion
		if token == "" {
			break
		}
	}
	check.Equal("the sizes of the pages", sizes, []int{10, 10, 5})
}

func watchFromList(ctx context.Context, direct client.WithWatch) {
	list := &GadgetList{}
	check.Ok(direct.List(ctx, list, client.InNamespace(namespace)), "listing")
	watched := newGadget("watched", 1, nil)
	check.Ok(direct.Create(ctx, watched), "creating a gadget")
	from := &client.ListOptions{Namespace: namespace, Raw: &metav1.ListOptions{ResourceVersion: list.ResourceVersion}}
	watcher, err := direct.Watch(ctx, &GadgetList{}, from)
	check.Ok(err, "watching")
	defer watcher.Stop()
	watched.Status = GadgetStatus{ObservedGeneration: 1, Phase: "Ready"}
	check.Ok(direct.Status().Update(ctx, watched), "updating the status")
	check.Ok(direct.Delete(ctx, watched), "deleting it")
	for _, want := range []watch.EventType{watch.Added, watch.Modified, watch.Deleted} {
		event := check.Receive(watcher.ResultChan(), string(want))
		gadget, isGadget := event.Object.(*Gadget)
		check.That(isGadget && gadget.Name == "watched", "the event is of the gadget: %v", event)
		check.Equal("the event", event.Type, want)
		check.Equal("whether the event has the status", gadget.Status.Phase == "Ready", want != watch.Added)
	}
}

func reconciled(ctx context.Context, manager ctrl.Manager, direct client.Client, reconciler *reconciler) {
	isReady := func(name string, generation int64) {
		check.Eventually(fmt.Sprintf("%s is Ready at generation %d", name, generation), func() (bool, error) {
			gadget := &Gadget{}
			err := direct.Get(ctx, key(name), gadget)
			held := len(gadget.Finalizers) == 1 && gadget.Finalizers[0] == finalizer
			return held && gadget.Status == GadgetStatus{ObservedGeneration: generation, Phase: "Ready"} && gadget.Generation == generation, err
		})
	}
	for i := range 25 {
		isReady(fmt.Sprintf("page-%02d", i), 1)
	}
	sized := &GadgetList{}
	check.Ok(manager.GetClient().List(ctx, sized, client.InNamespace(namespace), client.MatchingFields{sizeIndex: "3"}), "asking the cache's index")
	check.Equal("the number of gadgets of size 3", len(sized.Items), 5)

	check.Ok(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		gadget := &Gadget{}
		check.Ok(direct.Get(ctx, key("page-00"), gadget), "reading a gadget")
		gadget.Spec.Size = 50
		return direct.Update(ctx, gadget)
	}), "changing a spec beside the controller")
	isReady("page-00", 2)

	gadget := &Gadget{}
	check.Ok(direct.Get(ctx, key("page-00"), gadget), "reading a gadget")
	check.Ok(direct.Delete(ctx, gadget), "deleting a gadget with a finalizer")
	check.Eventually("the controller lets go of it", func() (bool, error) {
		err := direct.Get(ctx, key("page-00"), gadget)
		return apierrors.IsNotFound(err), err
	})
	check.Equal("how often it was cleaned up", reconciler.cleanedTimes("page-00"), 1)
	check.Eventually("it is gone from the cache", func() (bool, error) {
		err := manager.GetClient().Get(ctx, key("page-00"), gadget)
		return apierrors.IsNotFound(err), err
	})
}

// The namespace goes once the controller has let go of every gadget in it.
func deleteNamespace(ctx context.Context, direct client.Client, reconciler *reconciler) {
	owner := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	check.Ok(direct.Delete(ctx, owner), "deleting the namespace")
	check.Eventually("the namespace is gone", func() (bool, error) {
		err := direct.Get(ctx, client.ObjectKeyFromObject(owner), owner)
		return apierrors.IsNotFound(err), err
	})
	for i := range 25 {
		name := fmt.Sprintf("page-%02d", i)
		check.Equal("how often "+name+" was cleaned up", reconciler.cleanedTimes(name), 1)
	}
}
