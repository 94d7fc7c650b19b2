// The thread that owns the database: requests come in, each is answered in its turn. JavaScript, for a thread is started from a file
// and Node 20 starts no TypeScript; tsc checks it like the rest.
import { parentPort, workerData } from "node:worker_threads";
import { flushFolder, openDatabaseFile } from "./database-file.js";
import { isFlushFailure, messageOf, Refusal } from "./refusal.js";
import { Store } from "./store.js";

/** @import { ReplyMessage, Replies, Request, RequestMessage, WorkerSettings } from "./protocol.ts" */

const port = parentPort;
if (port === null) throw new Error("this file is the body of a worker thread");
const { folder, initialRevision } = /** @type {WorkerSettings} */ (workerData); // what the storage starts this thread with

/** @param {ReplyMessage} message */
function post(message) {
  port?.postMessage(message);
}

try {
  const { database, release } = openDatabaseFile(folder, initialRevision);
  const store = new Store(database);
  const close = () => {
    // SQLite carries the write-ahead log over into the database when the last connection closes; where it cannot, the log stays.
    database.close();
    flushFolder(folder);
    release();
  };
  port.on("message", (/** @type {RequestMessage} */ { id, request }) => {
    try {
      post({ type: "reply", id, reply: answer(store, request, close) });
    } catch (error) {
      post({ type: "failed", id, message: messageOf(error), isFatal: isFlushFailure(error) });
    }
    if (request.type === "close") port.close();
  });
  post({ type: "opened", current: store.meta.current, compacted: store.meta.compacted });
} catch (error) {
  const refusal = error instanceof Refusal ? error : new Refusal("Inaccessible", `the store in ${folder} cannot be opened: ${messageOf(error)}`);
  post({ type: "refused", code: refusal.code, message: refusal.message });
  port.close();
}

/**
 * @param {Store} store
 * @param {Request} request
 * @param {() => void} close
 * @returns {Replies[keyof Replies]}
 */
function answer(store, request, close) {
  switch (request.type) {
    case "commit":
      return store.commit(request.writes);
    case "get":
      return store.get(request.key);
    case "list":
      return store.list(request.prefix, request.start, request.limit);
    case "events":
      return store.events(request.after, request.prefix);
    case "compact":
      return store.compact(request.revision);
    case "purge":
      return store.purge();
    case "close":
      return void close();
    default:
      throw new Error("a request of another version");
  }
}
