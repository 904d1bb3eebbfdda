import { DocumentError } from "../../config/config.ts";
import { describeError } from "../../core/errors.ts";
import { type GatewayListenOptions, gateway } from "../../gateway/gateway.ts";
import { createMesh } from "../../index.ts";
import { serve } from "../../server/server.ts";
import { type Call, type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { type GatewayFile, readGatewayFile } from "../gateway/gateway-file.ts";
import { gatewayCommandOptions as options } from "../gateway/gateway-options.ts";
import { readNamedFile } from "../named-file.ts";
import { plain } from "../terminal/plain.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { UsageError } from "../usage-error.ts";
import { waitFor } from "../wait.ts";

/** Bytes of a file. */
const maxBytes = 33_554_432;

const defaultPort = 8_080;

/** `inmesh gateway FILE`. */
export const command: Command = declare({
  description:
    "A reverse proxy by a file: the configuration of inmesh with its routes, or a file of nginx or Envoy. It listens until it is told to end (SIGINT, SIGTERM), and\nleaves then without losing a request. What means something else here than to nginx or Envoy goes to the standard error output, a line each.",
  positionals: ["FILE"],
  options,
  examples: [
    "inmesh gateway nginx.conf --listen 127.0.0.1:8080",
    "inmesh gateway mesh.yaml --listen 0.0.0.0:8443 --tls-cert shop.crt --tls-key shop.key",
  ],
  async run(call) {
    const [file = ""] = call.positionals;
    const { terminal } = call;
    let read: GatewayFile;
    try {
      read = await readGatewayFile(file, (await readNamedFile(file, maxBytes)).toString("utf8"), call.values.from);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      terminal.note(plain(error.message));
      return exitCodes.failed;
    }
    for (const notice of read.notices) terminal.note(plain(notice));
    await proxy(call, file, read);
    return exitCodes.ok;
  },
});

async function proxy({ values, terminal, io }: Call<typeof options>, file: string, read: GatewayFile): Promise<void> {
  const listen = { ...read.listen, ...listenOf(values), ...certificatesOf(values) };
  const mesh = createMesh(read.mesh);
  try {
    const proxying = gateway(mesh, {
      ...read.gateway,
      ...(values.service === undefined ? {} : { service: values.service }),
      ...(values.verbose === true ? { onFailure: failureTeller(terminal) } : {}),
    });
    const server = await proxying.listen({ host: "127.0.0.1", port: defaultPort, ...listen });
    await using serving = serve(server, { mesh, signals: [], graceMs: 10_000, lameDuckMs: 0, log: false });
    await serving.started;
    const address = server.address();
    const at = typeof address === "object" && address !== null ? `${address.address}:${address.port}` : String(address);
    const scheme = (listen.certificates ?? []).length > 0 ? "https" : "http";
    terminal.note(`inmesh gateway: ${plain(file)} at ${scheme}://${at}`);
    await waitFor(undefined, io.signal);
  } finally {
    await mesh.close();
  }
}

function failureTeller(terminal: Terminal) {
  return ({
    status,
    requestId,
    error,
  }: {
    readonly status: number;
    readonly requestId: string | undefined;
    readonly error: unknown;
  }): void => terminal.note(plain(`${status} ${requestId ?? ""} ${describeError(error)}`));
}

function listenOf({ listen }: { readonly listen?: string }): GatewayListenOptions {
  if (listen === undefined) return {};
  const [, host = "", port = ""] = /^(?:(.*):)?(\d{1,5})$/.exec(listen) ?? [];
  if (port === "" || Number(port) > 65_535) throw new UsageError(`--listen is HOST:PORT, not ${plain(listen)}`);
  return { ...(host === "" ? {} : { host: host.replace(/^\[(.*)\]$/, "$1") }), port: Number(port) };
}

function certificatesOf(values: { readonly "tls-cert"?: readonly string[]; readonly "tls-key"?: readonly string[] }): GatewayListenOptions {
  const [certs, keys] = [values["tls-cert"] ?? [], values["tls-key"] ?? []];
  if (certs.length !== keys.length) throw new UsageError("each --tls-cert needs a --tls-key");
  return certs.length === 0 ? {} : { certificates: certs.map((cert, index) => ({ cert, key: keys[index] as string })) };
}
