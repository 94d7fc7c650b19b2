// npm run controlplane -- up DIR     starts a control plane whose files go into a new folder, and goes; says where it is
// npm run controlplane -- down DIR   stops it and removes the folder
import { startControlPlane, stopControlPlane } from "./control-plane.ts";

const USAGE = "usage: npm run controlplane -- up|down DIR";

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code: 0, 1 when it did not work, 2 for a bad command line. */
async function main([command, folder, ...rest]: readonly string[]): Promise<number> {
  if ((command !== "up" && command !== "down") || folder === undefined || rest.length > 0) {
    console.error(USAGE);
    return 2;
  }
  try {
    if (command === "up") await up(folder);
    else await stopControlPlane(folder);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function up(folder: string): Promise<void> {
  const { url, sampleURL, kubeconfig, binaries, folder: place } = await startControlPlane(folder, { log: console.error });
  console.log(
    `kube-apiserver    ${url}\nsample-apiserver  ${sampleURL}\nbearer tokens     ${place}/tokens.csv\nkubectl           ${binaries.kubectl}\n`,
  );
  console.log(`  export KUBECONFIG=${kubeconfig}`);
}
