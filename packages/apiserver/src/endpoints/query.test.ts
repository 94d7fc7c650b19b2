import { expect, test } from "vitest";
import { parseQuery } from "./query.ts";

// Asked of kube-apiserver 1.36.
test.each([
  { query: "limit=1;continue=x&watch=1", want: [["watch", "1"]] },
  { query: "a=%zz&limit=1", want: [["limit", "1"]] },
  { query: "limit=%3", want: [] },
  {
    query: "labelSelector=a%3Db&labelSelector=c+d",
    want: [
      ["labelSelector", "a=b"],
      ["labelSelector", "c d"],
    ],
  },
  { query: ";", want: [] },
  { query: "", want: [] },
])("?$query", ({ query, want }) => expect([...parseQuery(query)]).toEqual(want));
