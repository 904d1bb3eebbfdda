/** Where a command looks services up. */
export const registryOptions = {
  consul: {
    type: "string",
    value: "URL",
    help: "The Consul agent's HTTP API. Default, when no other source is named: `CONSUL_HTTP_ADDR`, else `http://127.0.0.1:8500`.",
  },
  "token-file": {
    type: "string",
    value: "FILE",
    help: "A file that holds the ACL token of Consul. Default: `CONSUL_HTTP_TOKEN`, else `CONSUL_HTTP_TOKEN_FILE`.",
  },
  datacenter: { type: "string", value: "NAME", help: "The datacentre of Consul to look in. Default: the agent's." },
  tag: { type: "string", multiple: true, value: "TAG", help: "Only instances that have this tag in Consul; may be repeated." },
  eureka: {
    type: "string",
    multiple: true,
    value: "URL",
    help: "A Eureka server, `http://127.0.0.1:8761/eureka`; repeated, servers of one cluster. A user and password in it are never shown.",
  },
  dns: {
    type: "string",
    value: "TEMPLATE",
    help: "DNS, with the name that a service has there: `{service}.service.consul`. SRV records, or addresses with `--dns-port`.",
  },
  "dns-server": {
    type: "string",
    multiple: true,
    value: "ADDRESS",
    help: "The DNS server to ask, `127.0.0.1:8600`; may be repeated. Default: the system's.",
  },
  "dns-port": { type: "string", value: "PORT", help: "The port of every instance, for DNS names that have addresses only." },
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
  "registry-key": { type: "string", value: "FILE", help: "PEM of its key. Default for Consul: `CONSUL_CLIENT_KEY`." },
  "registry-server-name": {
    type: "string",
    value: "NAME",
    help: "The name in the registry's certificate when it is not the URL's host. Default for Consul: `CONSUL_TLS_SERVER_NAME`.",
  },
} as const;

/** How long a lookup may take. */
export const timeoutOption = {
  timeout: { type: "string", value: "TIME", help: "How long the first answer may take, `500ms` or `5s`. Default: `5s`." },
} as const;
