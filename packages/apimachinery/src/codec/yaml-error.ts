/** The text is no YAML, or YAML that has no JSON. The message is one sentence, with the line where there is one. */
export class YAMLSyntaxError extends Error {
  override readonly name = "YAMLSyntaxError";
}
