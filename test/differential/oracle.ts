// A Go program of test/controlplane that answers a line of JSON for a line of JSON, asked in batches.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { encodeJSONText } from "@annex/apimachinery";

export interface Oracle {
  /** The answers in the order of the questions, as texts of JSON. One batch at a time. @throws {Error} if the program ends. */
  ask(questions: readonly object[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

export function startOracle(program: string): Oracle {
  const child = spawn(program, { stdio: ["pipe", "pipe", "pipe"] });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    complaints = (complaints + chunk).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  const ended = new Promise<number | string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code ?? signal ?? "nobody knows how"));
  });
  child.stdin.on("error", () => undefined); // what is said about it is said when no answer comes
  return {
    async ask(questions) {
      child.stdin.write(questions.map((question) => `${encodeJSONText(question)}\n`).join(""));
      const answers: string[] = [];
      while (answers.length < questions.length) {
        const line = await lines.next();
        if (line.done === true) throw new Error(`the Go program ended (${await ended}): ${complaints}`);
        answers.push(line.value);
      }
      return answers;
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
