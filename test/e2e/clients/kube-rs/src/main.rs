//! kube-rs against wardle and core kinds. KUBECONFIG says where; ends with the line ok, or with a panic that says what was not so.
use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt, pin_mut};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams, VersionMatch, WatchEvent, WatchParams};
use kube::core::Status;
use kube::discovery::{ApiResource, Discovery, Scope, verbs};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Error, ResourceExt};
use serde_json::json;

const NAMESPACE: &str = "kube-rs";
const GROUP: &str = "wardle.example.com";

type Flunders = Api<DynamicObject>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = Client::try_default().await.expect("a client from KUBECONFIG");
    let resource = discover(&client).await;
    core_kinds(&client).await;
    let flunders: Flunders = Api::namespaced_with(client.clone(), NAMESPACE, &resource);
    write_and_read(&flunders, &resource).await;
    conflict(&flunders, &resource).await;
    pages(&flunders, &resource).await;
    watch_from_list(&flunders, &resource).await;
    watch_long_ago(&flunders).await;
    watchers(&flunders, &resource).await;
    delete_namespace(&client).await;
    println!("ok");
}

/// The Status of a refusal.
fn refused<T: Debug>(doing: &str, answer: Result<T, Error>, code: u16, reason: &str) -> Status {
    match answer {
        Err(Error::Api(status)) => {
            assert_eq!((status.code, status.reason.as_str()), (code, reason), "{doing}: {}", status.message);
            *status
        }
        other => panic!("{doing} was not refused: {other:?}"),
    }
}

async fn next<T>(stream: &mut Pin<&mut impl Stream<Item = T>>, what: &str) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
    waited.unwrap_or_else(|_| panic!("{what} did not come in 20 seconds")).unwrap_or_else(|| panic!("{what} comes before the end"))
}

fn flunder(name: &str, resource: &ApiResource) -> DynamicObject {
    DynamicObject::new(name, resource).data(json!({"spec": {"flunderReference": "other", "referenceType": "Flunder"}}))
}

/// Both forms of discovery know the kind, and say the same of it.
async fn discover(client: &Client) -> ApiResource {
    let plain = Discovery::new(client.clone()).run().await.expect("discovery");
    let aggregated = Discovery::new(client.clone()).run_aggregated().await.expect("aggregated discovery");
    let mut found = Vec::new();
    for discovery in [plain, aggregated] {
        let group = discovery.get(GROUP).expect("the group is discovered");
        assert_eq!(group.preferred_version_or_latest(), "v1beta1");
        let (resource, capabilities) = group.recommended_kind("Flunder").expect("the kind is discovered");
        assert_eq!(capabilities.scope, Scope::Namespaced);
        for verb in [verbs::LIST, verbs::WATCH, verbs::PATCH, verbs::DELETE_COLLECTION] {
            assert!(capabilities.supports_operation(verb), "flunders have {verb}");
        }
        found.push(resource);
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0].plural, "flunders");
    found.remove(0)
}

async fn core_kinds(client: &Client) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = Namespace { metadata: ObjectMeta { name: Some(NAMESPACE.into()), ..Default::default() }, ..Default::default() };
    let made = namespaces.create(&PostParams::default(), &namespace).await.expect("creating the namespace");
    assert_eq!(made.status.and_then(|status| status.phase).as_deref(), Some("Active"));
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    let secret = Secret {
        metadata: ObjectMeta { generate_name: Some("made-".into()), labels: Some([("part".into(), "core".into())].into()), ..Default::default() },
        data: Some([("binary".into(), ByteString(vec![0, 255]))].into()),
        string_data: Some([("text".into(), "päss".into())].into()),
        ..Default::default()
    };
    let made = secrets.create(&PostParams::default(), &secret).await.expect("creating a secret");
    assert!(made.name_any().starts_with("made-") && made.name_any().len() == 10, "the name is generated: {}", made.name_any());
    assert_eq!(made.data.expect("data")["text"].0, "päss".as_bytes());
    assert_eq!(made.type_.as_deref(), Some("Opaque"));
    let selected = secrets.list_metadata(&ListParams::default().labels("part=core").fields("type=Opaque")).await.expect("listing metadata");
    assert_eq!(selected.items.len(), 1);
    secrets.delete_collection(&DeleteParams::default(), &ListParams::default().labels("part=core")).await.expect("deleting a collection");
    assert_eq!(secrets.list(&ListParams::default()).await.expect("listing").items.len(), 0);
}

async fn write_and_read(flunders: &Flunders, resource: &ApiResource) {
    let create = PostParams::default();
    let made = flunders.create(&create, &flunder("one", resource)).await.expect("creating");
    assert!(made.uid().is_some() && made.creation_timestamp().is_some(), "the server fills in metadata");
    assert_eq!(flunders.get("one").await.expect("reading"), made);
    let again = refused("creating it again", flunders.create(&create, &flunder("one", resource)).await, 409, "AlreadyExists");
    assert_eq!(again.message, "flunders.wardle.example.com \"one\" already exists");
    let merge = Patch::Merge(json!({"metadata": {"annotations": {"a": "b"}}}));
    let patched = flunders.patch("one", &PatchParams::default(), &merge).await.expect("patching");
    assert_eq!(patched.annotations()["a"], "b");
    let strict = PatchParams { field_validation: Some(kube::api::ValidationDirective::Strict), ..Default::default() };
    let unknown = flunders.patch("one", &strict, &Patch::Merge(json!({"spec": {"unknown": 1}}))).await;
    assert!(refused("an unknown field", unknown, 422, "Invalid").message.contains("unknown field \"spec.unknown\""));
    let wrong = flunder("wrong", resource).data(json!({"spec": {"referenceType": "Odd"}}));
    let invalid = refused("a wrong value", flunders.create(&create, &wrong).await, 422, "Invalid");
    assert_eq!(invalid.details.expect("details").causes[0].field, "spec.referenceType");
    let deleted = flunders.delete("one", &DeleteParams::default()).await.expect("deleting");
    assert!(deleted.right().expect("a Status").is_success());
    assert_eq!(flunders.get_opt("one").await.expect("reading what is not there"), None);
}

/// Two writers read the same object; the second one has to read again.
async fn conflict(flunders: &Flunders, resource: &ApiResource) {
    let replace = PostParams::default();
    let mut first = flunders.create(&replace, &flunder("contested", resource)).await.expect("creating");
    let mut second = first.clone();
    first.labels_mut().insert("first".into(), "yes".into());
    flunders.replace("contested", &replace, &first).await.expect("the first update");
    let mut attempts = 0;
    loop {
        attempts += 1;
        second.annotations_mut().insert("second".into(), "yes".into());
        match flunders.replace("contested", &replace, &second).await {
            Ok(_) => break,
            Err(Error::Api(status)) if status.is_conflict() => {
                assert!(status.message.contains("the object has been modified"), "{}", status.message);
                second = flunders.get("contested").await.expect("reading it again");
            }
            Err(other) => panic!("the second update: {other}"),
        }
    }
    assert_eq!(attempts, 2);
    let last = flunders.get("contested").await.expect("reading the outcome");
    assert_eq!((last.labels()["first"].as_str(), last.annotations()["second"].as_str()), ("yes", "yes"));
    flunders.delete("contested", &DeleteParams::default()).await.expect("deleting");
}

async fn pages(flunders: &Flunders, resource: &ApiResource) {
    for i in 0..25 {
        flunders.create(&PostParams::default(), &flunder(&format!("page-{i:02}"), resource)).await.expect("creating");
    }
    let (mut names, mut sizes, mut remaining, mut revisions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut token = None;
    loop {
        let page = flunders.list(&ListParams { limit: Some(10), continue_token: token, ..Default::default() }).await.expect("a page");
        sizes.push(page.items.len());
        remaining.push(page.metadata.remaining_item_count);
        revisions.push(page.metadata.resource_version.expect("a revision"));
        names.extend(page.items.iter().map(ResourceExt::name_any));
        token = page.metadata.continue_.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(remaining, [Some(15), Some(5), None]);
    assert_eq!(names, (0..25).map(|i| format!("page-{i:02}")).collect::<Vec<_>>());
    revisions.dedup();
    assert_eq!(revisions.len(), 1, "all pages are of one revision");
}

async fn change_one(flunders: &Flunders, resource: &ApiResource, name: &str) {
    flunders.create(&PostParams::default(), &flunder(name, resource)).await.expect("creating");
    let patch = Patch::Merge(json!({"metadata": {"labels": {"step": "2"}}}));
    flunders.patch(name, &PatchParams::default(), &patch).await.expect("patching");
    flunders.delete(name, &DeleteParams::default()).await.expect("deleting");
}

async fn watch_from_list(flunders: &Flunders, resource: &ApiResource) {
    let revision = flunders.list(&ListParams::default()).await.expect("listing").metadata.resource_version.expect("a revision");
    change_one(flunders, resource, "watched").await;
    let events = flunders.watch(&WatchParams::default().timeout(30), &revision).await.expect("watching");
    pin_mut!(events);
    change_one(flunders, resource, "watched-too").await;
    let mut previous: u64 = revision.parse().expect("a number");
    for name in ["watched", "watched-too"] {
        for want in ["ADDED", "MODIFIED", "DELETED"] {
            let (kind, object) = loop {
                match next(&mut events, want).await.expect("an event") {
                    WatchEvent::Added(object) => break ("ADDED", object),
                    WatchEvent::Modified(object) => break ("MODIFIED", object),
                    WatchEvent::Deleted(object) => break ("DELETED", object),
                    WatchEvent::Bookmark(_) => (),
                    WatchEvent::Error(status) => panic!("{status}"),
                }
            };
            assert_eq!((kind, object.name_any().as_str()), (want, name));
            let current = object.resource_version().expect("a revision").parse().expect("a number");
            assert!(current > previous, "resource versions rise: {previous}, {current}");
            previous = current;
        }
    }
}

async fn watch_long_ago(flunders: &Flunders) {
    let events = flunders.watch(&WatchParams::default().timeout(5), "1").await;
    let code = match events {
        Err(Error::Api(status)) => status.code,
        Err(other) => panic!("a watch from long ago: {other}"),
        Ok(events) => {
            pin_mut!(events);
            match next(&mut events, "an event of a watch from long ago").await {
                Ok(WatchEvent::Error(status)) => status.code,
                other => panic!("a watch from long ago: {other:?}"),
            }
        }
    };
    assert_eq!(code, 410);
    let exact = ListParams::default().at("1").matching(VersionMatch::Exact);
    refused("a list of long ago", flunders.list(&exact).await, 410, "Expired");
}

/// The runtime's watcher, in both ways of getting what there is: by the watch itself, and by pages.
async fn watchers(flunders: &Flunders, resource: &ApiResource) {
    let config = watcher::Config::default();
    for (config, name) in [(config.clone().streaming_lists(), "streamed"), (config.page_size(10), "paged")] {
        let events = watcher(flunders.clone(), config);
        pin_mut!(events);
        let mut initial = 0;
        loop {
            match next(&mut events, "an initial event").await.expect("an event") {
                Event::Init => (),
                Event::InitApply(_) => initial += 1,
                Event::InitDone => break,
                other => panic!("{name}: {other:?} before the initial events ended"),
            }
        }
        assert_eq!(initial, 25, "{name}");
        change_one(flunders, resource, name).await;
        for want in ["apply 1", "apply 2", "delete"] {
            let got = match next(&mut events, want).await.expect("an event") {
                Event::Apply(object) if object.name_any() == name => format!("apply {}", 1 + object.labels().len()),
                Event::Delete(object) if object.name_any() == name => "delete".into(),
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(got, want, "{name}");
        }
    }
}

async fn delete_namespace(client: &Client) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.delete(NAMESPACE, &DeleteParams::default()).await.expect("deleting the namespace");
    for _ in 0..400 {
        if namespaces.get_opt(NAMESPACE).await.expect("reading the namespace").is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the namespace is gone after 20 seconds");
}
