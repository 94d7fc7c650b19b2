import { runStandalone } from "@annex/standalone";
import { banFlunder, Fischer, Flunder } from "./wardle.ts";

process.exitCode = await runStandalone(
  {
    usage: "Usage: npm run wardle -- [OPTIONS]\n\nServes Flunders and Fischers as the Kubernetes sample-apiserver does, core namespaces and secrets.",
    version: "Annex 0.1.0",
    options: {},
    setup: ({ verbsOf }) => ({ resources: [Flunder, Fischer], admission: [banFlunder(verbsOf)] }),
  },
  process.argv.slice(2),
);
