"""The Python client against wardle and core kinds. KUBECONFIG says where; ends with the line ok, or with what was not so."""

import base64
import os
import sys
import tempfile
import time

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, ResourceNotFoundError

NAMESPACE = "python"
GROUP = "wardle.example.com"
FLUNDERS = (GROUP, "v1beta1", NAMESPACE, "flunders")


def equal(what, got, want):
    if got != want:
        sys.exit(f"FAILED: {what}: got {got!r}, want {want!r}")


def that(holds, claim):
    if not holds:
        sys.exit(f"FAILED: not so: {claim}")


def refused(doing, code, reason, call):
    """The message of the refusal."""
    try:
        call()
    except ApiException as error:
        equal(f"the code of {doing}", error.status, code)
        status = client.ApiClient().deserialize(error.body, "V1Status", "application/json")
        equal(f"the reason of {doing}", status.reason, reason)
        return status.message
    sys.exit(f"FAILED: {doing} was not refused")


def flunder(name, **labels):
    return {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "Flunder",
        "metadata": {"name": name, "labels": labels},
        "spec": {"flunderReference": "other", "referenceType": "Flunder"},
    }


def names(listed):
    return [item["metadata"]["name"] for item in listed["items"]]


def core_kinds(core):
    created = core.create_namespace({"metadata": {"name": NAMESPACE}})
    equal("the namespace's phase", created.status.phase, "Active")
    refused("creating it again", 409, "AlreadyExists", lambda: core.create_namespace({"metadata": {"name": NAMESPACE}}))
    body = client.V1Secret(
        metadata=client.V1ObjectMeta(name="one", labels={"part": "core"}),
        data={"binary": base64.b64encode(bytes([0, 255])).decode()},
        string_data={"text": "päss"},
    )
    core.create_namespaced_secret(NAMESPACE, body)
    read = core.read_namespaced_secret("one", NAMESPACE)
    equal("the secret's type", read.type, "Opaque")
    equal("the secret's bytes", base64.b64decode(read.data["binary"]), bytes([0, 255]))
    equal("the secret's text", base64.b64decode(read.data["text"]).decode(), "päss")
    patched = core.patch_namespaced_secret("one", NAMESPACE, {"metadata": {"annotations": {"a": "b"}}})
    equal("the patched annotations", patched.metadata.annotations, {"a": "b"})
    equal("the number of secrets by label", len(core.list_namespaced_secret(NAMESPACE, label_selector="part in (core)").items), 1)
    equal("the number of secrets by another label", len(core.list_namespaced_secret(NAMESPACE, label_selector="part=none").items), 0)
    core.delete_namespaced_secret("one", NAMESPACE)
    refused("reading a deleted secret", 404, "NotFound", lambda: core.read_namespaced_secret("one", NAMESPACE))


def write_and_read(custom):
    created = custom.create_namespaced_custom_object(*FLUNDERS, flunder("one", part="crud"))
    that(created["metadata"]["uid"] and created["metadata"]["creationTimestamp"], "the server fills in metadata")
    equal("what is read", custom.get_namespaced_custom_object(*FLUNDERS, "one"), created)
    again = refused("creating it again", 409, "AlreadyExists", lambda: custom.create_namespaced_custom_object(*FLUNDERS, flunder("one")))
    equal("the message of it", again, f'flunders.{GROUP} "one" already exists')
    patched = custom.patch_namespaced_custom_object(*FLUNDERS, "one", {"metadata": {"annotations": {"a": "b"}}})
    equal("the patched annotations", patched["metadata"]["annotations"], {"a": "b"})
    steps = [{"op": "test", "path": "/metadata/annotations/a", "value": "b"}, {"op": "remove", "path": "/metadata/annotations"}]
    removed = custom.patch_namespaced_custom_object(*FLUNDERS, "one", steps, _content_type="application/json-patch+json")
    that("annotations" not in removed["metadata"], "a JSON patch removes")
    wrong = {**flunder("wrong"), "spec": {"referenceType": "Odd"}}
    refused("creating one with a wrong value", 422, "Invalid", lambda: custom.create_namespaced_custom_object(*FLUNDERS, wrong))
    dry = custom.create_namespaced_custom_object(*FLUNDERS, flunder("dry"), dry_run="All")
    equal("the dry run's name", dry["metadata"]["name"], "dry")
    equal("what there is after a dry run", names(custom.list_namespaced_custom_object(*FLUNDERS)), ["one"])
    custom.delete_namespaced_custom_object(*FLUNDERS, "one")
    refused("reading it after its deletion", 404, "NotFound", lambda: custom.get_namespaced_custom_object(*FLUNDERS, "one"))


def conflict(custom):
    first = custom.create_namespaced_custom_object(*FLUNDERS, flunder("contested"))
    second = {**first, "metadata": {**first["metadata"], "annotations": {"second": "yes"}}}
    first["metadata"]["labels"] = {"first": "yes"}
    custom.replace_namespaced_custom_object(*FLUNDERS, "contested", first)
    attempts = 0
    while True:
        attempts += 1
        try:
            custom.replace_namespaced_custom_object(*FLUNDERS, "contested", second)
            break
        except ApiException as error:
            equal("the refusal of an update of what was read before", error.status, 409)
            that("the object has been modified" in error.body, "the conflict says why")
            second = custom.get_namespaced_custom_object(*FLUNDERS, "contested")
            second["metadata"]["annotations"] = {"second": "yes"}
    equal("attempts", attempts, 2)
    final = custom.get_namespaced_custom_object(*FLUNDERS, "contested")["metadata"]
    equal("what both wrote", (final["labels"], final["annotations"]), ({"first": "yes"}, {"second": "yes"}))
    custom.delete_namespaced_custom_object(*FLUNDERS, "contested")


def pages(custom):
    want = [f"page-{i:02}" for i in range(25)]
    for name in want:
        custom.create_namespaced_custom_object(*FLUNDERS, flunder(name, part="pages"))
    got, sizes, revisions, token = [], [], set(), None
    while token is None or token != "":
        more = {"_continue": token} if token else {}
        page = custom.list_namespaced_custom_object(*FLUNDERS, limit=10, **more)
        got += names(page)
        sizes.append((len(page["items"]), page["metadata"].get("remainingItemCount")))
        revisions.add(page["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue", "")
    equal("all pages", got, want)
    equal("the sizes of the pages and what remains", sizes, [(10, 15), (10, 5), (5, None)])
    equal("the number of revisions", len(revisions), 1)
    selected = custom.list_namespaced_custom_object(*FLUNDERS, limit=10, label_selector="part=pages")
    that("remainingItemCount" not in selected["metadata"], "nothing is said of what remains where a selector is")


def change_one(custom, name):
    custom.create_namespaced_custom_object(*FLUNDERS, flunder(name))
    custom.patch_namespaced_custom_object(*FLUNDERS, name, {"metadata": {"labels": {"step": "2"}}})
    custom.delete_namespaced_custom_object(*FLUNDERS, name)


def watch_from_list(custom):
    revision = custom.list_namespaced_custom_object(*FLUNDERS)["metadata"]["resourceVersion"]
    change_one(custom, "watched")
    watching = watch.Watch()
    events, previous = [], int(revision)
    options = {"resource_version": revision, "allow_watch_bookmarks": True, "timeout_seconds": 30}
    for event in watching.stream(custom.list_namespaced_custom_object, *FLUNDERS, **options):
        if event["type"] == "BOOKMARK":
            continue
        metadata = event["object"]["metadata"]
        events.append((event["type"], metadata["name"]))
        that(int(metadata["resourceVersion"]) > previous, "resource versions rise")
        previous = int(metadata["resourceVersion"])
        if len(events) == 3:
            change_one(custom, "watched-too")
        if len(events) == 6:
            watching.stop()
    types = ["ADDED", "MODIFIED", "DELETED"]
    equal("the events", events, [(kind, name) for name in ("watched", "watched-too") for kind in types])
    old = {"resource_version": "1", "timeout_seconds": 5}
    try:
        list(watch.Watch().stream(custom.list_namespaced_custom_object, *FLUNDERS, **old))
        sys.exit("FAILED: a watch from long ago was not refused")
    except ApiException as error:
        equal("the code of a watch from long ago", error.status, 410)


def dynamic_client(api):
    with tempfile.TemporaryDirectory() as folder:
        dynamic = DynamicClient(api, cache_file=os.path.join(folder, "discovery.json"))
        flunders = dynamic.resources.get(api_version=f"{GROUP}/v1beta1", kind="Flunder")
        that(flunders.namespaced and "watch" in flunders.verbs, "discovery tells of flunders")
        try:
            dynamic.resources.get(api_version=f"{GROUP}/v1beta1", kind="Nonesuch")
            sys.exit("FAILED: there is a kind Nonesuch")
        except ResourceNotFoundError:
            pass
        one = flunders.get(name="page-00", namespace=NAMESPACE)
        stale = one.to_dict()
        flunders.patch(name="page-00", namespace=NAMESPACE, body={"metadata": {"labels": {"seen": "yes"}}}, content_type="application/merge-patch+json")
        try:
            flunders.replace(body=stale, namespace=NAMESPACE)
            sys.exit("FAILED: a stale object was taken")
        except ConflictError:
            pass
        left = flunders.get(namespace=NAMESPACE, field_selector="metadata.name=page-00", label_selector="seen")
        equal("what the selectors leave", [item.metadata.name for item in left.items], ["page-00"])


def delete_namespace(core):
    core.delete_namespace(NAMESPACE)
    deadline = time.monotonic() + 20
    while NAMESPACE in [item.metadata.name for item in core.list_namespace().items]:
        that(time.monotonic() < deadline, "the namespace is gone after 20 seconds")
        time.sleep(0.05)


def main():
    api = config.new_client_from_config()
    core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
    groups = [group.name for group in client.ApisApi(api).get_api_versions().groups]
    that(GROUP in groups, f"{GROUP} is among {groups}")
    that(client.VersionApi(api).get_code().git_version.startswith("v1."), "the version is one of Kubernetes'")
    core_kinds(core)
    write_and_read(custom)
    conflict(custom)
    pages(custom)
    watch_from_list(custom)
    dynamic_client(api)
    delete_namespace(core)
    print("ok")


main()
