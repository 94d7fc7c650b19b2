import io.fabric8.kubernetes.api.model.APIResource;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** fabric8's client against wardle and core kinds. KUBECONFIG says where; ends with the line ok, or with what was not so. */
public final class Main {
  private static final String NAMESPACE = "fabric8";
  private static final PatchContext MERGE = PatchContext.of(PatchType.JSON_MERGE);

  private final KubernetesClient client;
  private final NonNamespaceOperation<Flunder, KubernetesResourceList<Flunder>, Resource<Flunder>> flunders;

  private Main(KubernetesClient client) {
    this.client = client;
    MixedOperation<Flunder, KubernetesResourceList<Flunder>, Resource<Flunder>> all = client.resources(Flunder.class);
    this.flunders = all.inNamespace(NAMESPACE);
  }

  public static void main(String[] args) {
    try (KubernetesClient client = new KubernetesClientBuilder().build()) {
      Main program = new Main(client);
      program.discover();
      program.coreKinds();
      program.writeAndRead();
      program.conflict();
      program.pages();
      program.watchFromList();
      program.watchLongAgo();
      program.informer();
      program.deleteNamespace();
    } catch (Throwable failure) {
      failure.printStackTrace();
      System.exit(1);
    }
    System.out.println("ok");
    System.exit(0);
  }

  private static void that(boolean holds, String claim) {
    if (!holds) throw new AssertionError("not so: " + claim);
  }

  private static void equal(String what, Object got, Object want) {
    if (!want.equals(got)) throw new AssertionError(what + ": got " + got + ", want " + want);
  }

  /** The message of the Status of a refusal. */
  private static String refused(String doing, int code, String reason, Runnable call) {
    try {
      call.run();
    } catch (KubernetesClientException refusal) {
      equal("the code of " + doing, refusal.getCode(), code);
      equal("the reason of " + doing, refusal.getStatus().getReason(), reason);
      return refusal.getStatus().getMessage();
    }
    throw new AssertionError(doing + " was not refused");
  }

  private static void eventually(String what, BooleanSupplier ask) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!ask.getAsBoolean()) {
      that(System.nanoTime() < deadline, what + ", after 20 seconds");
      Thread.sleep(20);
    }
  }

  private static <T> T next(BlockingQueue<T> queue, String what) throws InterruptedException {
    T value = queue.poll(20, TimeUnit.SECONDS);
    that(value != null, what + " comes within 20 seconds");
    return value;
  }

  private static String pageName(int index) {
    return String.format("page-%02d", index);
  }

  private void discover() {
    that(client.getApiGroup("wardle.example.com") != null, "the group is discovered");
    equal("the preferred version", client.getApiGroup("wardle.example.com").getPreferredVersion().getVersion(), "v1beta1");
    List<String> names = client.getApiResources("wardle.example.com/v1beta1").getResources().stream().map(APIResource::getName).toList();
    that(names.contains("flunders"), "flunders are among " + names);
    that(client.supports(Flunder.class), "the client finds the kind");
    that(client.getKubernetesVersion().getGitVersion().startsWith("v1."), "the version is one of Kubernetes'");
  }

  private void coreKinds() {
    client.namespaces().resource(new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build()).create();
    equal("the namespace's phase", client.namespaces().withName(NAMESPACE).get().getStatus().getPhase(), "Active");
    Secret secret = new SecretBuilder()
        .withNewMetadata().withName("one").addToLabels("part", "core").endMetadata()
        .addToData("binary", "AP8=")
        .addToStringData("text", "päss")
        .build();
    Secret made = client.secrets().inNamespace(NAMESPACE).resource(secret).create();
    equal("the secret's text", new String(Base64.getDecoder().decode(made.getData().get("text")), StandardCharsets.UTF_8), "päss");
    // A JSON patch of the difference.
    Secret edited = client.secrets().inNamespace(NAMESPACE).withName("one").edit(it -> new SecretBuilder(it).addToData("more", "eA==").build());
    equal("the secret's data", edited.getData(), Map.of("binary", "AP8=", "more", "eA==", "text", made.getData().get("text")));
    equal("the secrets by label", client.secrets().inNamespace(NAMESPACE).withLabelIn("part", "core", "other").list().getItems().size(), 1);
    equal("the secrets without the label", client.secrets().inNamespace(NAMESPACE).withoutLabel("part").list().getItems().size(), 0);
    client.secrets().inNamespace(NAMESPACE).withName("one").delete();
    that(client.secrets().inNamespace(NAMESPACE).withName("one").get() == null, "a deleted secret is not there");
  }

  private void writeAndRead() {
    Flunder made = flunders.resource(Flunder.named("one")).create();
    that(made.getMetadata().getUid() != null && made.getMetadata().getCreationTimestamp() != null, "the server fills in metadata");
    equal("what is read", flunders.withName("one").get().getMetadata(), made.getMetadata());
    equal("the message of creating it again", refused("creating it again", 409, "AlreadyExists", () -> flunders.resource(Flunder.named("one")).create()),
        "flunders.wardle.example.com \"one\" already exists");
    Flunder patched = flunders.withName("one").patch(MERGE, "{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}");
    equal("the patched annotations", patched.getMetadata().getAnnotations(), Map.of("a", "b"));
    Flunder wrong = Flunder.named("wrong");
    wrong.getSpec().referenceType = "Odd";
    refused("creating one with a wrong value", 422, "Invalid", () -> flunders.resource(wrong).create());
    equal("the deletion's details", flunders.withName("one").delete().size(), 1);
    that(flunders.withName("one").get() == null, "it is gone");
  }

  /** Two writers read the same object; the second one has to read again. */
  private void conflict() {
    Flunder first = flunders.resource(Flunder.named("contested")).create();
    Flunder second = flunders.withName("contested").get();
    first.getMetadata().setLabels(Map.of("first", "yes"));
    flunders.resource(first).update();
    int attempts = 0;
    for (boolean isDone = false; !isDone;) {
      attempts++;
      second.getMetadata().setAnnotations(Map.of("second", "yes"));
      try {
        flunders.resource(second).update();
        isDone = true;
      } catch (KubernetesClientException refusal) {
        equal("the refusal of an update of what was read before", refusal.getCode(), 409);
        that(refusal.getStatus().getMessage().contains("the object has been modified"), refusal.getStatus().getMessage());
        second = flunders.withName("contested").get();
      }
    }
    equal("attempts", attempts, 2);
    ObjectMeta metadata = flunders.withName("contested").get().getMetadata();
    equal("what both wrote", List.of(metadata.getLabels(), metadata.getAnnotations()), List.of(Map.of("first", "yes"), Map.of("second", "yes")));
    flunders.withName("contested").delete();
  }

  private void pages() {
    List<String> want = IntStream.range(0, 25).mapToObj(Main::pageName).toList();
    for (String name : want) flunders.resource(Flunder.named(name)).create();
    List<String> got = new ArrayList<>();
    List<Integer> sizes = new ArrayList<>();
    Set<String> revisions = new HashSet<>();
    String token = null;
    do {
      KubernetesResourceList<Flunder> page = flunders.list(new ListOptionsBuilder().withLimit(10L).withContinue(token).build());
      page.getItems().forEach(item -> got.add(item.getMetadata().getName()));
      sizes.add(page.getItems().size());
      revisions.add(page.getMetadata().getResourceVersion());
      token = page.getMetadata().getContinue();
    } while (token != null && !token.isEmpty());
    equal("all pages", got, want);
    equal("the sizes of the pages", sizes, List.of(10, 10, 5));
    equal("the number of revisions", revisions.size(), 1);
  }

  private void changeOne(String name) {
    flunders.resource(Flunder.named(name)).create();
    flunders.withName(name).patch(MERGE, "{\"metadata\":{\"labels\":{\"step\":\"2\"}}}");
    flunders.withName(name).delete();
  }

  /** Keeps events, and why the watch ended. */
  private static final class Recorder implements Watcher<Flunder> {
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    final BlockingQueue<WatcherException> ends = new LinkedBlockingQueue<>();
    final List<Long> revisions = new ArrayList<>();

    @Override
    public void eventReceived(Action action, Flunder flunder) {
      if (action == Action.BOOKMARK) return;
      revisions.add(Long.parseLong(flunder.getMetadata().getResourceVersion()));
      events.add(action + " " + flunder.getMetadata().getName());
    }

    @Override
    public void onClose(WatcherException cause) {
      ends.add(cause);
    }
  }

  private void watchFromList() throws InterruptedException {
    String revision = flunders.list().getMetadata().getResourceVersion();
    changeOne("watched");
    Recorder recorder = new Recorder();
    ListOptions options = new ListOptionsBuilder().withResourceVersion(revision).withAllowWatchBookmarks(true).build();
    try (Watch watch = flunders.watch(options, recorder)) {
      changeOne("watched-too");
      for (String name : List.of("watched", "watched-too"))
        for (String action : List.of("ADDED", "MODIFIED", "DELETED")) equal("the event", next(recorder.events, action), action + " " + name);
    }
    long previous = Long.parseLong(revision);
    for (long current : recorder.revisions) {
      that(current > previous, "resource versions rise: " + previous + ", " + current);
      previous = current;
    }
  }

  private void watchLongAgo() throws InterruptedException {
    Recorder recorder = new Recorder();
    ListOptions options = new ListOptionsBuilder().withResourceVersion("1").build();
    try (Watch watch = flunders.watch(options, recorder)) {
      WatcherException end = next(recorder.ends, "the end of a watch from long ago");
      that(end.isHttpGone(), "a watch from long ago is told that it is too old: " + end);
    } catch (KubernetesClientException refusal) {
      equal("the code of a watch from long ago", refusal.getCode(), 410);
    }
  }

  private void informer() throws InterruptedException {
    BlockingQueue<String> events = new LinkedBlockingQueue<>();
    try (SharedIndexInformer<Flunder> informer = flunders.withLimit(10L).runnableInformer(0)) {
      informer.addEventHandler(new ResourceEventHandler<>() {
        @Override
        public void onAdd(Flunder flunder) {
          events.add("add " + flunder.getMetadata().getName());
        }

        @Override
        public void onUpdate(Flunder old, Flunder flunder) {
          events.add("update " + flunder.getMetadata().getName());
        }

        @Override
        public void onDelete(Flunder flunder, boolean isStateUnknown) {
          events.add("delete " + flunder.getMetadata().getName());
        }
      });
      informer.start().toCompletableFuture().join();
      that(informer.hasSynced() && informer.isWatching(), "the informer has synced and watches");
      equal("the number of objects in the informer's store", informer.getStore().list().size(), 25);
      for (int i = 0; i < 25; i++) next(events, "an event of what was there");
      changeOne("informed");
      for (String action : List.of("add", "update", "delete")) equal("the informer's event", next(events, action), action + " informed");
    }
  }

  private void deleteNamespace() throws InterruptedException {
    client.namespaces().withName(NAMESPACE).delete();
    eventually("the namespace is gone", () -> client.namespaces().withName(NAMESPACE).get() == null);
  }
}
