/** Options that name the source of endpoints. */
export const registryOptions = {
  consul: {
    type: "string",
    value: "URL",
    help: "HTTP API of the Consul agent. Default, when no other source is named: `CONSUL_HTTP_ADDR`, else `http://127.0.0.1:8500`.",
  },
  "token-file": {
    type: "string",
    value: "FILE",
    help: "A file with the ACL token of Consul. Default: `CONSUL_HTTP_TOKEN`, else `CONSUL_HTTP_TOKEN_FILE`.",
  },
  datacenter: { type: "string", value: "NAME", help: "The datacentre of Consul. Default: that of the agent." },
  tag: { type: "string", multiple: true, value: "TAG", help: "Only endpoints with this tag in Consul; may be repeated." },
  eureka: {
    type: "string",
    multiple: true,
    value: "URL",
    help: "A Eureka server, `http://127.0.0.1:8761/eureka`; repeated for the servers of one cluster. User and password are `EUREKA_USERNAME` and `EUREKA_PASSWORD`, or in the URL, where the list of processes shows them.",
  },
  dns: {
    type: "string",
    value: "TEMPLATE",
    help: "DNS, with the template of service names: `{service}.service.consul`. SRV records, or addresses with `--dns-port`.",
  },
  "dns-server": {
    type: "string",
    multiple: true,
    value: "ADDRESS",
    help: "A DNS server, `127.0.0.1:8600`; may be repeated. Default: those of the system.",
  },
  "dns-port": { type: "string", value: "PORT", help: "The port of all instances, for DNS names with addresses only." },
  file: { type: "string", value: "FILE", help: "A JSON or YAML file with services, as `fileDiscovery` reads it." },
  static: {
    type: "string",
    multiple: true,
    value: "SERVICE=HOST:PORT,…",
    help: "Endpoints on the command line; may be repeated.",
  },
  "registry-ca": {
    type: "string",
    value: "FILE",
    help: "PEM of the authority of the registry's certificate. Default for Consul: `CONSUL_CACERT`.",
  },
  "registry-cert": {
    type: "string",
    value: "FILE",
    help: "PEM of the client certificate for the registry. Default for Consul: `CONSUL_CLIENT_CERT`.",
  },
  "registry-key": { type: "string", value: "FILE", help: "PEM of the key of that certificate. Default for Consul: `CONSUL_CLIENT_KEY`." },
  "registry-server-name": {
    type: "string",
    value: "NAME",
    help: "The name in the certificate of the registry, if it is not the host of the URL. Default for Consul: `CONSUL_TLS_SERVER_NAME`.",
  },
} as const;

/** The time limit of a lookup. */
export const timeoutOption = {
  timeout: { type: "string", value: "TIME", help: "Time limit of the first answer, `500ms` or `5s`. Default: `5s`." },
} as const;
