/** The options of `inmesh gateway`. */
export const gatewayCommandOptions = {
  listen: {
    type: "string",
    value: "HOST:PORT",
    help: "Where it listens. Default: as the file says, else 127.0.0.1:8080. Ports below 1024 need rights that a user without them does not have.",
  },
  "tls-cert": {
    type: "string",
    multiple: true,
    value: "FILE",
    help: "A certificate (PEM) to show, with `--tls-key`; may be repeated, for several names. Default: as the file says.",
  },
  "tls-key": { type: "string", multiple: true, value: "FILE", help: "The key of each `--tls-cert`, in the same order." },
  from: {
    type: "string",
    value: "PROGRAM",
    choices: ["inmesh", "nginx", "envoy"],
    help: "The program whose file it is. Default: by its name and text.",
  },
  service: {
    type: "string",
    value: "NAME",
    help: "The service of requests that no route leads to another one. Default: none, they get 404.",
  },
  verbose: { type: "boolean", short: "v", help: "Writes a line for each request that failed." },
} as const;
