/** What `/version` answers and `kubectl version` prints. Source: k8s.io/apimachinery/pkg/version Info. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly emulationMajor: string;
  readonly emulationMinor: string;
  readonly minCompatibilityMajor: string;
  readonly minCompatibilityMinor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** The Kubernetes whose behaviour this server has: clients decide by it what they may ask. */
const KUBERNETES = { major: "1", minor: "36" };

/**
 * @param annexVersion of this package: `0.1.0`.
 * @param platform `linux/amd64`.
 */
export function versionInfo(annexVersion: string, platform: string): VersionInfo {
  const { major, minor } = KUBERNETES;
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${major}.${minor}.0+annex-${annexVersion}`,
    gitCommit: "",
    gitTreeState: "",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "typescript",
    platform,
  };
}
