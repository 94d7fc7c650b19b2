import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { serve } from "@annex/apiserver-node";
import { sqlite } from "@annex/storage-sqlite";

const group = "hello.example.com";

// Stored: every verb, watches, pages, patches, `kubectl explain` and a table follow from this.
const Greeting = defineResource({
  group,
  kind: "Greeting",
  scope: "Namespaced",
  versions: {
    v1: {
      schema: { spec: t.object({ name: t.string({ minLength: 1, description: "Who is greeted." }), loud: t.boolean({ default: false }) }) },
      columns: [{ name: "Says", type: "string", value: ({ spec }) => `Hello, ${spec.name}${spec.loud ? "!" : "."}` }],
    },
  },
  validate: ({ object, invalid }) => {
    if (object.spec.name === object.metadata.name) invalid("spec.name", "must not greet itself");
  },
});

// Not stored at all: the verbs you write are the verbs there are.
const Sum = defineResource({
  group,
  kind: "Sum",
  scope: "Cluster",
  versions: { v1: { schema: { spec: t.object({ of: t.array(t.number()) }), status: t.object({ total: t.optional(t.number()) }) } } },
  handlers: { create: ({ object }) => ({ ...object, status: { total: object.spec.of.reduce((sum, one) => sum + one, 0) } }) },
});

const { url, kubeconfig, stop } = await serve({ resources: [Greeting, Sum], storage: await sqlite(".annex/store").open() });
console.log(`Serving ${url}\n\n  export KUBECONFIG=${kubeconfig}\n`);
process.once("SIGINT", () => stop()).once("SIGTERM", () => stop());
