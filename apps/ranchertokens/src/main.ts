#!/usr/bin/env node
import { defineProgram, wholeNumber } from "@annex/apiserver-node";
import { isForCluster, runInCluster } from "@annex/cluster";
import { runStandalone, Secret } from "@annex/standalone";
import { runExpiry } from "./expiry.ts";
import { mutableTokenSecrets, restoredTokenSecrets } from "./guarded-secrets.ts";
import { reportUnhealthyTokens } from "./health-report.ts";
import { CLUSTER_TOKEN_SECRET_TYPE, clusterRancherToken, rancherToken, TOKEN_SECRET_TYPE } from "./ranchertoken.ts";

const program = defineProgram({
  usage:
    "Usage: npm start -- [OPTIONS]\n       npm start -- --kubeconfig FILE --service NAMESPACE/NAME:PORT [OPTIONS]\n       npm start -- unregister --kubeconfig FILE --service NAMESPACE/NAME\n\nServes RancherTokens and ClusterRancherTokens: alone, with core namespaces and secrets, a Kubernetes API server on this machine; with --kubeconfig, or in a pod, as an\nextension of that cluster, whose options --kubeconfig FILE --help explains.",
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
  secretTypes: [TOKEN_SECRET_TYPE, CLUSTER_TOKEN_SECRET_TYPE],
  setup: async ({ options, privateKey, hasSecrets }) => {
    const resourceOptions = { macKey: await privateKey("token-mac"), clusterTokenNamespace: options["cluster-token-namespace"] };
    const graceMs = options["expired-token-grace-seconds"] * 1000;
    return {
      hidden: hasSecrets ? [] : [Secret],
      resources: [rancherToken(resourceOptions), clusterRancherToken(resourceOptions)],
      namespaces: [options["cluster-token-namespace"]],
      admission: [mutableTokenSecrets, restoredTokenSecrets],
      run: async (services, signal) => {
        await reportUnhealthyTokens(services, signal);
        await runExpiry({ ...services, graceMs }, signal);
      },
    };
  },
});

const args = process.argv.slice(2);
process.exitCode = await (isForCluster(args, process.env) ? runInCluster : runStandalone)(program, args);
