package main

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"

	"annex.test/clients/internal/check"
)

func writeAndRead(ctx context.Context, client dynamic.ResourceInterface) {
	created, err := client.Create(ctx, newFlunder("one", map[string]string{"part": "crud"}), metav1.CreateOptions{})
	check.Ok(err, "creating a flunder")
	check.That(created.GetUID() != "" && created.GetResourceVersion() != "", "the server fills in metadata")
	_, err = client.Create(ctx, newFlunder("one", nil), metav1.CreateOptions{})
	check.Error(err, apierrors.IsAlreadyExists, flundersGroup+` "one" already exists`, "creating it again")
	read, err := client.Get(ctx, "one", metav1.GetOptions{})
	check.Ok(err, "reading it")
	check.Equal("what is read", read.Object, created.Object)

	patched, err := client.Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"annotations":{"a":"b"}}}`), metav1.PatchOptions{})
	check.Ok(err, "patching it")
	check.Equal("the patched annotations", patched.GetAnnotations(), map[string]string{"a": "b"})
	_, err = client.Update(ctx, newFlunder("absent", nil), metav1.UpdateOptions{})
	check.That(apierrors.IsInvalid(err) || apierrors.IsNotFound(err), "an update of what is not there is refused: %v", err)

	broken := newFlunder("broken", nil)
	check.Ok(unstructured.SetNestedField(broken.Object, "Odd", "spec", "referenceType"), "setting a field")
	_, err = client.Create(ctx, broken, metav1.CreateOptions{})
	check.That(apierrors.IsInvalid(err) && apierrors.HasStatusCause(err, metav1.CauseTypeFieldValueInvalid), "a wrong value is Invalid, with a cause: %v", err)

	stale := types.UID("another")
	err = client.Delete(ctx, "one", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &stale}})
	check.That(apierrors.IsConflict(err), "a deletion of another object of that name is a conflict: %v", err)
	check.Ok(client.Delete(ctx, "one", *metav1.NewPreconditionDeleteOptions(string(created.GetUID()))), "deleting it")
	_, err = client.Get(ctx, "one", metav1.GetOptions{})
	check.Error(err, apierrors.IsNotFound, flundersGroup+` "one" not found`, "reading it after its deletion")
}

func deprecatedVersion(ctx context.Context, client dynamic.Interface, warnings *warningLog) {
	_, err := client.Resource(flunders).Namespace(namespace).Create(ctx, newFlunder("two", nil), metav1.CreateOptions{})
	check.Ok(err, "creating a flunder")
	check.Equal("warnings until now", warnings.take(), []string(nil))
	old, err := client.Resource(oldFlunders).Namespace(namespace).Get(ctx, "two", metav1.GetOptions{})
	check.Ok(err, "reading v1alpha1")
	spec, _, _ := unstructured.NestedStringMap(old.Object, "spec")
	check.Equal("the spec in v1alpha1", spec, map[string]string{"reference": "other", "referenceType": "Flunder"})
	check.Equal("warnings of v1alpha1", warnings.take(), []string{"299 wardle.example.com/v1alpha1 Flunder is deprecated in v1.3+, unavailable in v1.10+"})
	check.Ok(client.Resource(flunders).Namespace(namespace).Delete(ctx, "two", metav1.DeleteOptions{}), "deleting it")
}

// Two writers read the same object; the second one has to read again.
func conflict(ctx context.Context, client dynamic.ResourceInterface) {
	first, err := client.Create(ctx, newFlunder("contested", nil), metav1.CreateOptions{})
	check.Ok(err, "creating a flunder")
	second := first.DeepCopy()
	first.SetLabels(map[string]string{"first": "yes"})
	_, err = client.Update(ctx, first, metav1.UpdateOptions{})
	check.Ok(err, "the first update")
	second.SetAnnotations(map[string]string{"second": "yes"})
	_, err = client.Update(ctx, second, metav1.UpdateOptions{})
	check.Error(err, apierrors.IsConflict, fmt.Sprintf(
		"Operation cannot be fulfilled on %s %q: the object has been modified; please apply your changes to the latest version and try again",
		flundersGroup, "contested"), "an update of what was read before")

	attempts := 0
	current := second
	check.Ok(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		attempts++
		current.SetAnnotations(map[string]string{"second": "yes"})
		_, err := client.Update(ctx, current, metav1.UpdateOptions{})
		if apierrors.IsConflict(err) {
			var failed error
			current, failed = client.Get(ctx, "contested", metav1.GetOptions{})
			check.Ok(failed, "reading it again")
		}
		return err
	}), "updating with retries")
	check.Equal("attempts", attempts, 2)
	final, err := client.Get(ctx, "contested", metav1.GetOptions{})
	check.Ok(err, "reading the outcome")
	check.Equal("what the first writer wrote", final.GetLabels(), map[string]string{"first": "yes"})
	check.Equal("what the second writer wrote", final.GetAnnotations(), map[string]string{"second": "yes"})
	check.Ok(client.Delete(ctx, "contested", metav1.DeleteOptions{}), "deleting it")
}

// 25 objects in pages of 10. They stay: what follows counts them.
func pages(ctx context.Context, client dynamic.Interface) {
	all := client.Resource(flunders).Namespace(namespace)
	want := []string{}
	for i := range 25 {
		name := fmt.Sprintf("page-%02d", i)
		want = append(want, name)
		_, err := all.Create(ctx, newFlunder(name, map[string]string{"part": "pages"}), metav1.CreateOptions{})
		check.Ok(err, "creating a flunder")
	}
	first, err := all.List(ctx, metav1.ListOptions{Limit: 10})
	check.Ok(err, "reading the first page")
	check.Equal("the first page", names(first.Items), want[:10])
	check.That(first.GetRemainingItemCount() != nil && *first.GetRemainingItemCount() == 15, "15 remain after the first page")
	// The pages show the moment of the first one.
	check.Ok(all.Delete(ctx, "page-12", metav1.DeleteOptions{}), "deleting one of the second page")
	second, err := all.List(ctx, metav1.ListOptions{Limit: 10, Continue: first.GetContinue()})
	check.Ok(err, "reading the second page")
	check.Equal("the second page", names(second.Items), want[10:20])
	check.Equal("the revision of the second page", second.GetResourceVersion(), first.GetResourceVersion())
	third, err := all.List(ctx, metav1.ListOptions{Limit: 10, Continue: second.GetContinue()})
	check.Ok(err, "reading the third page")
	check.Equal("the third page", names(third.Items), want[20:])
	check.Equal("the token after the last page", third.GetContinue(), "")
	_, err = all.List(ctx, metav1.ListOptions{Limit: 10, Continue: "made-by-hand"})
	check.That(apierrors.IsBadRequest(err), "a token made by hand is a bad request: %v", err)
	_, err = all.Create(ctx, newFlunder("page-12", map[string]string{"part": "pages"}), metav1.CreateOptions{})
	check.Ok(err, "creating it again")

	asked := 0
	lister := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		asked++
		return all.List(ctx, options)
	})
	lister.PageSize = 10
	got := []string{}
	check.Ok(lister.EachListItem(ctx, selectLabel("part=pages"), func(object runtime.Object) error {
		accessor, err := meta.Accessor(object)
		got = append(got, accessor.GetName())
		return err
	}), "paging with a selector")
	check.Equal("the pager's objects", got, want)
	check.Equal("the pager's requests", asked, 3)
}

func metadataClient(ctx context.Context, config *rest.Config) {
	client, err := metadata.NewForConfig(config)
	check.Ok(err, "making a metadata client")
	all := client.Resource(flunders).Namespace(namespace)
	list, err := all.List(ctx, metav1.ListOptions{Limit: 10})
	check.Ok(err, "listing metadata")
	check.Equal("the number of a page's metadata", len(list.Items), 10)
	one, err := all.Get(ctx, "page-03", metav1.GetOptions{})
	check.Ok(err, "reading metadata")
	check.Equal("the label", one.Labels["part"], "pages")
	watcher, err := all.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	check.Ok(err, "watching metadata")
	defer watcher.Stop()
	patched, err := all.Patch(ctx, "page-03", types.MergePatchType, []byte(`{"metadata":{"labels":{"seen":"yes"}}}`), metav1.PatchOptions{})
	check.Ok(err, "patching metadata")
	event := check.Receive(watcher.ResultChan(), "an event of metadata")
	seen, isMetadata := event.Object.(*metav1.PartialObjectMetadata)
	check.That(isMetadata, "the event's object is metadata: %T", event.Object)
	check.Equal("the event's resourceVersion", seen.ResourceVersion, patched.ResourceVersion)
}
