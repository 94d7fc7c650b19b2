import { expect, test } from "vitest";
import { parseRFC3339 } from "./index.ts";

// Asked of kube-apiserver 1.36, as the time of an entry of managedFields.
test.each([
  { text: "2021-01-01T00:00:00Z", want: "2021-01-01T00:00:00.000Z" },
  { text: "2021-01-01T00:00:00.5Z", want: "2021-01-01T00:00:00.500Z" },
  { text: "2021-01-01T00:00:00,0019Z", want: "2021-01-01T00:00:00.001Z" },
  { text: "2021-01-01T1:00:00Z", want: "2021-01-01T01:00:00.000Z" },
  { text: "2021-01-01T00:00:00+23:59", want: "2020-12-31T00:01:00.000Z" },
  { text: "2021-01-01T00:00:00-24:00", want: "2021-01-02T00:00:00.000Z" },
  { text: "2021-01-01T00:00:00+00:60", want: "2020-12-31T23:00:00.000Z" },
  { text: "2020-02-29T00:00:00Z", want: "2020-02-29T00:00:00.000Z" },
  { text: "0099-03-01T00:00:00Z", want: "0099-03-01T00:00:00.000Z" },
])("$text is $want", ({ text, want }) => {
  const read = parseRFC3339(text);
  expect("fault" in read ? read.fault : new Date(read.milliseconds).toISOString()).toBe(want);
});

const LAYOUT = ' as "2006-01-02T15:04:05Z07:00"';

test.each([
  { text: "2021-02-30T00:00:00Z", fault: ": day out of range" },
  { text: "2021-02-29T00:00:00Z", fault: ": day out of range" },
  { text: "2021-01-00T01:00:00Z", fault: ": day out of range" },
  { text: "2021-01-01T24:00:00Z", fault: ": hour out of range" },
  { text: "2021-01-01T23:59:60Z", fault: ": second out of range" },
  { text: "2021-13-01T01:00:00Z", fault: ": month out of range" },
  { text: "2021-01-01T00:00:00+25:00", fault: ": time zone offset hour out of range" },
  { text: "2021-01-01T00:00:00+00:61", fault: ": time zone offset minute out of range" },
  { text: "2021-01-01T01:00:00Zx", fault: ': extra text: "x"' },
  { text: "", fault: `${LAYOUT}: cannot parse "" as "2006"` },
  { text: "2021-1-01T01:00:00Z", fault: `${LAYOUT}: cannot parse "1-01T01:00:00Z" as "01"` },
  { text: "20211-01-01T01:00:00Z", fault: `${LAYOUT}: cannot parse "1-01-01T01:00:00Z" as "-"` },
  { text: "2021-01-01t01:00:00Z", fault: `${LAYOUT}: cannot parse "t01:00:00Z" as "T"` },
  { text: "2021-01-01T01:00:00", fault: `${LAYOUT}: cannot parse "" as "Z07:00"` },
  { text: "2021-01-01T01:00:00+0100", fault: `${LAYOUT}: cannot parse "+0100" as "Z07:00"` },
  { text: "2021-01-01T01:00:00.Z", fault: `${LAYOUT}: cannot parse ".Z" as "Z07:00"` },
])("$text is none", ({ text, fault }) => {
  expect(parseRFC3339(text)).toEqual({ fault: `parsing time "${text}"${fault}` });
});

test("a text that is not ASCII is shown by its bytes", () => {
  expect(parseRFC3339('é"\t')).toEqual({ fault: `parsing time "\\xc3\\xa9\\"\\x09"${LAYOUT}: cannot parse "\\xc3\\xa9\\"\\x09" as "2006"` });
});

test("of a text that is longer than any time little is shown", () => {
  const read = parseRFC3339("é".repeat(1_500_000));
  expect("fault" in read && read.fault.length).toBeLessThan(20_000);
});
