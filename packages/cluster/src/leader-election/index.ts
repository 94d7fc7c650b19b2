// Which one of several replicas does what only one is to do, settled by a Lease as Kubernetes' own components do it.
export { isLeaseHeld, type LeaderElectionOptions, leaseName, leasePath, runWhileLeading } from "./leader-election.ts";
