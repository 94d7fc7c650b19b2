import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;

/** The kind of wardle, in its storage version. */
@Group("wardle.example.com")
@Version("v1beta1")
public final class Flunder extends CustomResource<Flunder.Spec, Flunder.Status> implements Namespaced {
  public static final class Spec {
    public String flunderReference;
    public String fischerReference;
    public String referenceType;
  }

  public static final class Status {
    // Empty in wardle; without a field it could not be written.
    public String unused;
  }

  /** A new flunder that refers to another one. */
  static Flunder named(String name) {
    Flunder flunder = new Flunder();
    flunder.getMetadata().setName(name);
    flunder.setSpec(new Spec());
    flunder.getSpec().flunderReference = "other";
    flunder.getSpec().referenceType = "Flunder";
    return flunder;
  }
}
