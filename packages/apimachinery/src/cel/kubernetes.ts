import { KUBERNETES_COSTS } from "./cost/kubernetes.ts";
import { CelEnvironment } from "./environment.ts";
import { AUTHORIZER_LIBRARY } from "./library/authorizer.ts";
import { FORMAT_LIBRARY } from "./library/format.ts";
import { LIST_EXTENSIONS } from "./library/list-extensions.ts";
import { LIST_LIBRARY } from "./library/lists.ts";
import { CIDR_LIBRARY, IP_LIBRARY } from "./library/network.ts";
import { OPTIONAL_LIBRARY } from "./library/optional.ts";
import { QUANTITY_LIBRARY } from "./library/quantity.ts";
import { REGEX_LIBRARY } from "./library/regex.ts";
import { SEMVER_LIBRARY } from "./library/semver.ts";
import { SET_LIBRARY } from "./library/sets.ts";
import { STANDARD_LIBRARY } from "./library/standard.ts";
import { STRING_LIBRARY } from "./library/strings.ts";
import { TWO_VARIABLE_LIBRARY } from "./library/two-variables.ts";
import { URL_LIBRARY } from "./library/urls.ts";

/**
 * What expressions may use in Kubernetes 1.36, without variables. (cel-go's `math` is not among it.)
 *
 * Source: k8s.io/apiserver/pkg/cel/environment/base.go.
 */
export const KUBERNETES_ENVIRONMENT = new CelEnvironment({
  libraries: [
    STANDARD_LIBRARY,
    URL_LIBRARY,
    REGEX_LIBRARY,
    LIST_LIBRARY,
    AUTHORIZER_LIBRARY,
    OPTIONAL_LIBRARY,
    QUANTITY_LIBRARY,
    STRING_LIBRARY,
    SET_LIBRARY,
    IP_LIBRARY,
    CIDR_LIBRARY,
    FORMAT_LIBRARY,
    TWO_VARIABLE_LIBRARY,
    SEMVER_LIBRARY,
    LIST_EXTENSIONS,
  ],
  cost: KUBERNETES_COSTS,
});
