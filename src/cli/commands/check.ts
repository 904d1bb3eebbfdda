import { oldestNode, unsuitableNode } from "../../core/node/node-version.ts";
import { addressFinding } from "../check/address-check.ts";
import { certificateFindings } from "../check/certificate-checks.ts";
import { type Finding, fail, ok } from "../check/finding.ts";
import { identityFindings } from "../check/identity-check.ts";
import { policyFindings } from "../check/policy-check.ts";
import { registryFindings } from "../check/registry-checks.ts";
import { type Call, type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatOption } from "../option-table.ts";
import { readDuration } from "../option-values.ts";
import { registryOptions, timeoutOption } from "../registry/registry-options.ts";
import { registrySource } from "../registry/registry-source.ts";
import { readTls } from "../registry/tls-files.ts";
import { plain } from "../terminal/plain.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { goesOn, wrapped } from "../terminal/wrap.ts";
import { UsageError } from "../usage-error.ts";

/** The JSON of `inmesh check -o json`. */
export interface CheckReport {
  /** `false` when a check failed; warnings do not count. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

const options = {
  ...registryOptions,
  ...timeoutOption,
  "tls-ca": { type: "string", value: "FILE", help: "PEM of the authority of the instances' certificates, to be checked." },
  "tls-cert": { type: "string", value: "FILE", help: "PEM of the client certificate for the instances, to be checked." },
  "tls-key": { type: "string", value: "FILE", help: "PEM of the key of the client certificate, to be checked." },
  "connect-as": {
    type: "string",
    value: "NAME",
    help: "The name of this process in a Consul Connect mesh: its certificate and the intentions about its callers are checked, and SERVICE is connected to as a mesh with `connect: true` does. The agent makes the certificate.",
  },
  "tls-server-name": { type: "string", value: "NAME", help: "The name that the instances' certificates must have." },
  policy: { type: "string", value: "FILE", help: "Rules for `authorization` of a server, to be checked." },
  ...formatOption,
} as const;

/** `inmesh check [SERVICE]`. */
export const command: Command = declare({
  description:
    'Checks what a mesh on this machine would need: Node, the registry, what the token may read, the clock, names, certificates, and the address\nthat a server would register with (host: "auto"). With SERVICE it also connects to the instances of the service, over TLS where they have\nit, and sends them nothing. Each line is ok, warn or fail, with what to do. Ends with 1 when one fails. Nothing is registered or changed.',
  positionals: ["[SERVICE]"],
  options,
  examples: [
    "inmesh check",
    "inmesh check orders --token-file token",
    "inmesh check --file endpoints.yaml --tls-cert client.pem --tls-key client-key.pem",
  ],
  run,
});

async function run({ values, positionals: [service], terminal, io }: Call<typeof options>): Promise<number> {
  const timeoutMs = readDuration("timeout", values.timeout ?? "5s");
  const connectAs = values["connect-as"];
  if (connectAs === "") throw new UsageError("--connect-as needs the name of a service");
  const source = await registrySource(values, io, terminal, connectAs !== undefined);
  const findings: Finding[] = [];
  const tell = async (finding: Finding): Promise<void> => {
    terminal.progress();
    findings.push(finding);
    if (terminal.format !== "json") await terminal.lines(linesOf(finding, terminal));
    terminal.progress("checking …");
  };
  await tell(nodeFinding(process.versions.node));
  await tell(addressFinding());
  const paths = { cert: values["tls-cert"], key: values["tls-key"], ca: values["tls-ca"] };
  // Files that cannot be read have findings of their own.
  const files = await readTls(paths).catch(() => ({}));
  const instanceTls = { ...files, servername: values["tls-server-name"] };
  for await (const finding of registryFindings(source, { service, connectAs, timeoutMs, signal: io.signal, instanceTls }))
    await tell(finding);
  for await (const finding of certificateFindings(paths, Date.now())) await tell(finding);
  for await (const finding of identityFindings(paths)) await tell(finding);
  for await (const finding of policyFindings(values.policy)) await tell(finding);
  terminal.progress();
  const isOk = findings.every(({ state }) => state !== "fail");
  if (terminal.format === "json") await terminal.json({ ok: isOk, findings } satisfies CheckReport);
  return isOk ? exitCodes.ok : exitCodes.failed;
}

const styles = { ok: "green", warn: "yellow", fail: "red" } as const;

function linesOf({ check, state, message, fix }: Finding, terminal: Terminal): readonly string[] {
  const head = `${state.padEnd(4)}  ${check.padEnd(11)}  `;
  const [first = "", ...more] = wrapped(`${head}${plain(message)}`, terminal.width(), `${" ".repeat(head.length)}${goesOn}`);
  const remedy =
    fix === null ? [] : wrapped(`${" ".repeat(head.length)}→ ${plain(fix)}`, terminal.width(), `${" ".repeat(head.length)}${goesOn}`);
  return [terminal.style(styles[state], first.slice(0, 4)) + first.slice(4), ...more, ...remedy];
}

/** Whether the package works with this version of Node. */
export function nodeFinding(version: string): Finding {
  if (unsuitableNode(version) === undefined) return ok("node", `Node ${version}`);
  return fail("node", `Node ${version} is too old`, `install Node ${oldestNode} or newer`);
}
