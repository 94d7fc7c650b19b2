// By which marks an object of the cluster is known to be ours. An object without them is somebody else's, and never changed.
export { isOwnedBy, marksOf, parseObjectName, type ServiceName, serviceText } from "./ownership.ts";
