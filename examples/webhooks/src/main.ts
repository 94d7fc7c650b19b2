import { defineProgram } from "@annex/apiserver-node";
import { runInCluster } from "@annex/cluster";
import { mutating, validating } from "./webhooks.ts";

const program = defineProgram({
  usage:
    "Usage: npm run webhooks -- --kubeconfig FILE --service NAMESPACE/NAME:PORT [OPTIONS]\n\nServes two admission webhooks, and registers them with the cluster.",
  version: "Annex 0.1.0",
  options: {},
  setup: () => ({ resources: [], webhooks: [mutating, validating] }),
});

process.exitCode = await runInCluster(program, process.argv.slice(2));
