import { DocumentError } from "../../config/config.ts";
import { type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { type ImportReader, readerOf } from "../import/readers.ts";
import { formatOption } from "../option-table.ts";
import { compareEnvoyFile } from "../parity/compare-envoy.ts";
import { compareNginx } from "../parity/compare-nginx.ts";
import type { ParityDifference, ParityResult } from "../parity/differences.ts";
import type { Probe } from "../parity/probes.ts";
import { plain } from "../terminal/plain.ts";
import { table } from "../terminal/table.ts";
import { UsageError } from "../usage-error.ts";

const options = {
  ...formatOption,
  nginx: { type: "string", value: "PROGRAM", help: "The nginx that the file is run on. Default: `nginx`, from the PATH." },
  envoy: { type: "string", value: "PROGRAM", help: "The Envoy that the file is run on. Default: `envoy`, from the PATH." },
  from: {
    type: "string",
    value: "PROGRAM",
    choices: ["nginx", "envoy"],
    help: "The program whose file it is. Default: by its name and text.",
  },
  listen: { type: "string", value: "NAME", help: "Envoy: the listener whose routes count, where several serve HTTP." },
  request: {
    type: "string",
    multiple: true,
    value: "REQUEST",
    help: "A request in place of those that are made up from the file, such as `GET http://shop.example/api`; may be repeated.",
  },
  times: { type: "string", value: "NUMBER", help: "How often each request is sent to both, 1 to 100. Default: 4." },
  unsupported: {
    type: "string",
    value: "HOW",
    choices: ["refuse", "answer-501"],
    help: "What becomes of a location with a directive that is not supported. Default: refuse.",
  },
} as const;

/** `inmesh parity`. */
export const command: Command = declare({
  description:
    "Runs a file of nginx or Envoy on the real one and on inmesh, on this machine: each of its servers is an instance here that answers 200, and it listens on free ports.\nBoth get the same requests; what instances and callers see is compared, and each difference printed. The exit code is 1 where there are some. TLS, and what\nneeds files of another machine, is left out.",
  positionals: ["FILE"],
  options,
  examples: [
    "inmesh parity nginx.conf",
    "inmesh parity envoy.yaml --envoy ./envoy",
    "inmesh parity nginx.conf --nginx /usr/sbin/nginx --request 'GET http://shop.example/api/users'",
  ],
  async run({ values, positionals, terminal, io }) {
    const [file = ""] = positionals;
    const times = Number(values.times ?? 4);
    if (!(Number.isInteger(times) && times >= 1 && times <= 100)) throw new UsageError("--times is a whole number from 1 to 100");
    const probes = (values.request ?? []).map(probeOf);
    try {
      const reader = await readerOf(file, values.from);
      const { requests, differences } = await compare(reader, file, values, { times, probes, signal: io.signal });
      if (terminal.format === "json")
        await terminal.json({
          requests,
          differences: differences.map(({ request, server, inmesh }) => ({ request, [reader.name]: server, inmesh })),
        });
      else if (differences.length > 0) await terminal.lines(table(columnsOf(reader), differences, terminal.format === "wide"));
      const count = `${requests} ${requests === 1 ? "request" : "requests"}, each ${times} ${times === 1 ? "time" : "times"}`;
      terminal.note(`${count}: ${differences.length === 0 ? "no difference" : `${differences.length} different`}`);
      return differences.length === 0 ? exitCodes.ok : exitCodes.failed;
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      terminal.note(plain(error.message));
      return exitCodes.failed;
    }
  },
});

interface Values {
  readonly nginx?: string | undefined;
  readonly envoy?: string | undefined;
  readonly listen?: string | undefined;
  readonly unsupported?: "refuse" | "answer-501" | undefined;
}

interface Requests {
  readonly times: number;
  readonly probes: readonly Probe[];
  readonly signal: AbortSignal;
}

function compare(reader: ImportReader, file: string, values: Values, requests: Requests): Promise<ParityResult> {
  const { nginx = "nginx", envoy = "envoy", listen, unsupported = "refuse" } = values;
  if (reader.name === "envoy") return compareEnvoyFile(file, { ...requests, program: envoy, listener: listen });
  return compareNginx(file, { ...requests, program: nginx, unsupported });
}

function columnsOf({ name }: ImportReader): Parameters<typeof table<ParityDifference>>[0] {
  return [
    { title: "REQUEST", cell: ({ request }) => plain(request) },
    { title: name.toUpperCase(), cell: ({ server }) => plain(server) },
    { title: "INMESH", cell: ({ inmesh }) => plain(inmesh) },
  ];
}

function probeOf(text: string): Probe {
  const [, method = "GET", host, path = "/"] = /^(?:([A-Z]+) )?http:\/\/([^/?\s]+)([/?]\S*)?$/.exec(text) ?? [];
  if (host === undefined) throw new UsageError(`--request is such as "GET http://shop.example/api", not ${plain(text)}`);
  return { method, host, path: path.startsWith("?") ? `/${path}` : path };
}
