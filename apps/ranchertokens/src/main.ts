import { wholeNumber } from "@annex/apiserver-node";
import { runStandalone } from "@annex/standalone";
import { runExpiry } from "./expiry.ts";
import { ensureMACKey } from "./mac-key.ts";
import { mutableTokenSecrets } from "./mutable-secrets.ts";
import { clusterRancherToken, rancherToken } from "./ranchertoken.ts";

process.exitCode = await runStandalone(
  {
    usage:
      "Usage: npm start -- [OPTIONS]\n\nServes RancherTokens and ClusterRancherTokens, core namespaces and secrets: a Kubernetes API server on this machine.",
    version: "Annex 0.1.0",
    options: {
      "cluster-token-namespace": {
        placeholder: "NAME",
        default: "annex-system",
        help: "The namespace of the Secrets that hold ClusterRancherTokens.",
        parse: (text: string) => {
          if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) throw new Error("must be the name of a namespace");
          return text;
        },
      },
      "expired-token-grace-seconds": {
        placeholder: "SECONDS",
        default: 86_400,
        help: "For how long an expired token stays before it is removed.",
        parse: wholeNumber(0, 10 * 365 * 86_400),
      },
    },
    setup: async ({ options, dataDir }) => {
      const resourceOptions = { macKey: await ensureMACKey(dataDir), clusterTokenNamespace: options["cluster-token-namespace"] };
      const graceMs = options["expired-token-grace-seconds"] * 1000;
      return {
        resources: [rancherToken(resourceOptions), clusterRancherToken(resourceOptions)],
        namespaces: [options["cluster-token-namespace"]],
        admission: [mutableTokenSecrets],
        run: (services, signal) => runExpiry({ ...services, graceMs }, signal),
      };
    },
  },
  process.argv.slice(2),
);
