/** Words of CEL, which no field may be called in an expression. Source: k8s.io/apiserver/pkg/cel/escaping.go celReservedSymbols. */
const RESERVED: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(" "),
);

const ESCAPES: Readonly<Record<string, string>> = { __: "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__" };
const UNESCAPES: Readonly<Record<string, string>> = { underscores: "__", dot: ".", dash: "-", slash: "/" };

/**
 * The name under which an expression finds a field: `a.b` is `a__dot__b`, `namespace` is `__namespace__`.
 *
 * @returns undefined for a field that no expression can name.
 *
 * Source: k8s.io/apiserver/pkg/cel Escape.
 */
export function escapeFieldName(name: string): string | undefined {
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined;
  return RESERVED.has(name) ? `__${name}__` : name.replace(/__|[-./]/g, (found) => ESCAPES[found] ?? found);
}

/** The field that an expression means by a name; undefined when the name is not a well-formed one. */
export function unescapeFieldName(escaped: string): string | undefined {
  let isWellFormed = true;
  const name = escaped.replace(/__[^_]+__/g, (found) => {
    const word = found.slice(2, -2);
    const special = UNESCAPES[word];
    if (special !== undefined) return special;
    if (!RESERVED.has(word) || found !== escaped) isWellFormed = false;
    return word;
  });
  return isWellFormed ? name : undefined;
}
