import { DocumentError } from "../../config/config.ts";
import { describeError } from "../../core/errors.ts";
import { type GatewayListenOptions, type GatewayOptions, gateway } from "../../gateway/gateway.ts";
import { createMesh } from "../../index.ts";
import { serve } from "../../server/server.ts";
import { type Call, type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { followGatewayFile, replaceMesh } from "../gateway/follow-gateway-file.ts";
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
    "A reverse proxy by a file: the configuration of inmesh with its routes, or a file of nginx or Envoy. It listens until it is told to end (SIGINT, SIGTERM), and\nleaves then without losing a request. A change of the file, or of one that it leads to, is in force as a whole within seconds, or is refused. What means something else here than to nginx or Envoy goes to the standard error output, a line each.",
  positionals: ["FILE"],
  options,
  examples: [
    "inmesh gateway nginx.conf --listen 127.0.0.1:8080",
    "inmesh gateway mesh.yaml --listen 0.0.0.0:8443 --tls-cert shop.crt --tls-key shop.key",
  ],
  async run(call) {
    const [file = ""] = call.positionals;
    const { terminal } = call;
    const readAt = Date.now();
    let read: GatewayFile;
    try {
      read = await readGatewayFile(file, (await readNamedFile(file, maxBytes)).toString("utf8"), call.values.from);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      terminal.note(plain(error.message));
      return exitCodes.failed;
    }
    for (const notice of read.notices) terminal.note(plain(notice));
    await proxy(call, file, { read, readAt });
    return exitCodes.ok;
  },
});

async function proxy(
  call: Call<typeof options>,
  file: string,
  { read, readAt }: { readonly read: GatewayFile; readonly readAt: number },
): Promise<void> {
  const { values, terminal, io } = call;
  const listen = { ...read.listen, ...listenOf(values), ...certificatesOf(values) };
  let mesh = createMesh(read.mesh);
  try {
    const proxying = gateway(mesh, gatewayOptionsOf(call, read));
    const server = await proxying.listen({ host: "127.0.0.1", port: defaultPort, ...listen });
    await using serving = serve(server, { signals: [], graceMs: 10_000, lameDuckMs: 0, log: false });
    await serving.started;
    const address = server.address();
    const at = typeof address === "object" && address !== null ? `${address.address}:${address.port}` : String(address);
    const scheme = (listen.certificates ?? []).length > 0 ? "https" : "http";
    terminal.note(`inmesh gateway: ${plain(file)} at ${scheme}://${at}`);
    const say = (text: string): void => terminal.note(plain(`inmesh gateway: ${text}`));
    using _following = followGatewayFile({
      first: read,
      readAt,
      read: async () => await readGatewayFile(file, (await readNamedFile(file, maxBytes)).toString("utf8"), values.from),
      take(next) {
        mesh = replaceMesh(proxying, mesh, next, gatewayOptionsOf(call, next));
        for (const notice of next.notices) terminal.note(plain(notice));
        const stays =
          JSON.stringify(next.listen) === JSON.stringify(read.listen) ? "" : "; where it listens stays until it is started anew";
        say(`${file} has changed and is in force${stays}`);
      },
      refused: (error) => say(`${describeError(error)}; the configuration before stays in force`),
    });
    await waitFor(undefined, io.signal);
  } finally {
    await mesh.close();
  }
}

function gatewayOptionsOf({ values, terminal }: Call<typeof options>, read: GatewayFile): GatewayOptions {
  return {
    ...read.gateway,
    ...(values.service === undefined ? {} : { service: values.service }),
    ...(values.verbose === true ? { onFailure: failureTeller(terminal) } : {}),
  };
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
