package main

import (
	"context"
	"sync"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const finalizer = "clients.test/cleanup"

// reconciler holds a gadget by a finalizer, and says in its status which generation it has seen.
type reconciler struct {
	client  client.Client
	mutex   sync.Mutex
	cleaned map[string]int
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	gadget := &Gadget{}
	if err := r.client.Get(ctx, request.NamespacedName, gadget); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !gadget.DeletionTimestamp.IsZero() {
		if controllerutil.RemoveFinalizer(gadget, finalizer) {
			r.mutex.Lock()
			r.cleaned[gadget.Name]++
			r.mutex.Unlock()
			return ctrl.Result{}, client.IgnoreNotFound(r.client.Update(ctx, gadget))
		}
		return ctrl.Result{}, nil
	}
	before := gadget.DeepCopyObject().(*Gadget)
	if controllerutil.AddFinalizer(gadget, finalizer) {
		if err := r.client.Patch(ctx, gadget, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			return ctrl.Result{}, err
		}
	}
	want := GadgetStatus{ObservedGeneration: gadget.Generation, Phase: "Ready"}
	if gadget.Status == want {
		return ctrl.Result{}, nil
	}
	gadget.Status = want
	return ctrl.Result{}, r.client.Status().Update(ctx, gadget)
}

func (r *reconciler) cleanedTimes(name string) int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.cleaned[name]
}
