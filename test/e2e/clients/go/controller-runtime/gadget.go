package main

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var gadgets = schema.GroupVersion{Group: "clients.test", Version: "v1"}

// Gadget is the kind of ../../gadgets.mjs.
type Gadget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              GadgetSpec   `json:"spec"`
	Status            GadgetStatus `json:"status,omitzero"`
}

type GadgetSpec struct {
	Size int `json:"size"`
}

type GadgetStatus struct {
	ObservedGeneration int64  `json:"observedGeneration,omitempty"`
	Phase              string `json:"phase,omitempty"`
}

type GadgetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Gadget `json:"items"`
}

func (gadget *Gadget) DeepCopyObject() runtime.Object {
	copied := *gadget
	gadget.ObjectMeta.DeepCopyInto(&copied.ObjectMeta)
	return &copied
}

func (list *GadgetList) DeepCopyObject() runtime.Object {
	copied := *list
	list.ListMeta.DeepCopyInto(&copied.ListMeta)
	copied.Items = make([]Gadget, len(list.Items))
	for i := range list.Items {
		copied.Items[i] = *list.Items[i].DeepCopyObject().(*Gadget)
	}
	return &copied
}

func addToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(gadgets, &Gadget{}, &GadgetList{})
	metav1.AddToGroupVersion(scheme, gadgets)
	return nil
}

func newGadget(name string, size int, labels map[string]string) *Gadget {
	return &Gadget{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: maps.Clone(labels)}, Spec: GadgetSpec{Size: size}}
}
