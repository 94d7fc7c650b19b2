import { defineProgram } from "@annex/apiserver-node";
import { isForCluster, runInCluster } from "@annex/cluster";
import { runStandalone } from "@annex/standalone";
import { banFlunder, Fischer, Flunder } from "./wardle.ts";

const program = defineProgram({
  usage:
    "Usage: npm run wardle -- [OPTIONS]\n       npm run wardle -- --kubeconfig FILE --service NAMESPACE/NAME:PORT [OPTIONS]\n\nServes Flunders and Fischers as the Kubernetes sample-apiserver does: alone, with core namespaces and secrets, or as an extension of a cluster.",
  version: "Annex 0.1.0",
  options: {},
  setup: ({ verbsOf }) => ({ resources: [Flunder, Fischer], admission: [banFlunder(verbsOf)] }),
});

const args = process.argv.slice(2);
process.exitCode = await (isForCluster(args, process.env) ? runInCluster : runStandalone)(program, args);
