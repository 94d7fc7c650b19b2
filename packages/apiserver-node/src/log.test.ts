import { describe, expect, test } from "vitest";
import { createLogger, pinoLevel } from "./log.ts";

function logged(verbosity: number) {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ verbosity, destination: { write: (line) => void lines.push(JSON.parse(line)) } });
  return { log, lines };
}

describe("createLogger", () => {
  test("writes a line of JSON with level, time, sentence and fields", () => {
    const { log, lines } = logged(0);
    log.warn({ path: "/a", err: new Error("broken"), error: new Error("also") }, "request failed");
    expect(lines).toEqual([
      expect.objectContaining({
        level: "warn",
        msg: "request failed",
        path: "/a",
        err: expect.objectContaining({ message: "broken" }),
        error: expect.objectContaining({ message: "also" }),
      }),
    ]);
    expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test("never writes what is secret by its name", () => {
    const { log, lines } = logged(10);
    log.info({ authorization: "Bearer swordfish", headers: { authorization: "swordfish" }, spec: { token: "swordfish" } }, "x");
    expect(JSON.stringify(lines)).not.toContain("swordfish");
    expect(lines[0]).toMatchObject({ authorization: "[redacted]" });
  });

  test("never throws", () => {
    const { log, lines } = logged(0);
    const circular: Record<string, unknown> = { big: 1n };
    circular.self = circular;
    log.info(circular, "circular");
    log.info(
      {
        get broken(): string {
          throw new Error("no");
        },
      },
      "getter",
    );
    expect(lines.map(({ msg }) => msg)).toEqual(["circular", "getter"]);
  });

  test("writes debug lines from -v=4 on", () => {
    const [quiet, loud] = [logged(3), logged(4)];
    for (const { log } of [quiet, loud]) {
      log.debug({}, "d");
      log.error({}, "e");
    }
    expect(quiet.lines.map(({ level }) => level)).toEqual(["error"]);
    expect(loud.lines.map(({ level }) => level)).toEqual(["debug", "error"]);
  });

  test("maps klog's levels", () => expect([0, 3, 4, 5, 6, 10].map(pinoLevel)).toEqual(["info", "info", "debug", "debug", "trace", "trace"]));
});
