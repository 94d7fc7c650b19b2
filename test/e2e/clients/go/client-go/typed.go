package main

import (
	"context"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"annex.test/clients/internal/check"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// newTypedClient sends protobuf, and tells how many bodies it sent as such.
func newTypedClient(shared *rest.Config) (client *kubernetes.Clientset, sent func() int) {
	config := rest.CopyConfig(shared)
	config.ContentType = protobuf
	config.AcceptContentTypes = protobuf + ",application/json"
	count := 0
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			if request.Body != nil && request.Header.Get("Content-Type") == protobuf {
				count++
			}
			return next.RoundTrip(request)
		})
	})
	client, err := kubernetes.NewForConfig(config)
	check.Ok(err, "making a typed client")
	return client, func() int { return count }
}

func typedClients(ctx context.Context, config *rest.Config) {
	client, sent := newTypedClient(config)
	created, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	check.Ok(err, "creating a namespace")
	check.Equal("the namespace's phase", created.Status.Phase, corev1.NamespaceActive)
	check.Equal("the namespace's finalizers", created.Spec.Finalizers, []corev1.FinalizerName{corev1.FinalizerKubernetes})
	check.Equal("the namespace's own label", created.Labels, map[string]string{corev1.LabelMetadataName: namespace})

	secrets := client.CoreV1().Secrets(namespace)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "one", Labels: map[string]string{"part": "typed"}, Annotations: map[string]string{"ä": "ö"}},
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{"binary": {0, 1, 254, 255}, "empty": {}},
		StringData: map[string]string{"text": "päss"},
	}
	_, err = secrets.Create(ctx, secret, metav1.CreateOptions{})
	check.That(apierrors.IsInvalid(err), "an annotation of a wrong name is Invalid: %v", err)
	secret.Annotations = map[string]string{"a": "ö"}
	stored, err := secrets.Create(ctx, secret, metav1.CreateOptions{})
	check.Ok(err, "creating a secret")
	check.Equal("the secret's data", stored.Data, map[string][]byte{"binary": {0, 1, 254, 255}, "empty": {}, "text": []byte("päss")})
	check.Equal("the secret's annotations", stored.Annotations, secret.Annotations)

	immutable := true
	stored.Immutable = &immutable
	stored.Data["more"] = []byte("x")
	updated, err := secrets.Update(ctx, stored, metav1.UpdateOptions{})
	check.Ok(err, "updating a secret")
	updated.Data["more"] = []byte("y")
	_, err = secrets.Update(ctx, updated, metav1.UpdateOptions{})
	check.That(apierrors.IsInvalid(err), "an immutable secret stays: %v", err)
	_, err = secrets.Patch(ctx, "one", types.StrategicMergePatchType, []byte(`{"metadata":{"labels":{"step":"2"}}}`), metav1.PatchOptions{})
	check.Ok(err, "patching a secret")
	list, err := secrets.List(ctx, metav1.ListOptions{LabelSelector: "part=typed,step=2", FieldSelector: "type=Opaque"})
	check.Ok(err, "listing secrets")
	check.Equal("the number of secrets", len(list.Items), 1)
	watcher, err := secrets.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	check.Ok(err, "watching secrets")
	defer watcher.Stop()
	check.Ok(secrets.Delete(ctx, "one", metav1.DeleteOptions{}), "deleting a secret")
	gone, isSecret := check.Receive(watcher.ResultChan(), "the deletion of a secret").Object.(*corev1.Secret)
	check.That(isSecret && gone.Name == "one", "the event tells of the secret that was deleted")
	check.That(sent() >= 4, "bodies went out as protobuf: %d", sent())
}

func deleteNamespace(ctx context.Context, config *rest.Config) {
	client, _ := newTypedClient(config)
	check.Ok(client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}), "deleting the namespace")
	check.Eventually("the namespace is gone", func() (bool, error) {
		_, err := client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err), err
	})
}
