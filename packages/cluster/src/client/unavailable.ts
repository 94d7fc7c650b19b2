import { OperatorError } from "@annex/apiserver";

/** The kube-apiserver could not be asked. The cause says why. */
export class ClusterUnavailableError extends OperatorError {
  override readonly name: string = "ClusterUnavailableError";
}

/** Its answer is larger than is taken in: whoever asked for a list asks for less of it at a time. */
export class AnswerTooLargeError extends ClusterUnavailableError {
  override readonly name = "AnswerTooLargeError";
}
