import { DocumentError } from "../../config/config.ts";
import { type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatOption } from "../option-table.ts";
import { compareNginx, type ParityDifference } from "../parity/compare-nginx.ts";
import type { Probe } from "../parity/probes.ts";
import { plain } from "../terminal/plain.ts";
import { table } from "../terminal/table.ts";
import { UsageError } from "../usage-error.ts";

const options = {
  ...formatOption,
  nginx: { type: "string", value: "PROGRAM", help: "The nginx that the file is run on. Default: `nginx`, from the PATH." },
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
    "Runs a file of nginx on a real nginx and on inmesh, on this machine: each of its servers is an instance here that answers 200, and it listens on free ports.\nBoth get the same requests; what instances and callers see is compared, and each difference printed. The exit code is 1 where there are some. TLS, and what\nneeds files of another machine, is left out.",
  positionals: ["FILE"],
  options,
  examples: ["inmesh parity nginx.conf", "inmesh parity nginx.conf --nginx /usr/sbin/nginx --request 'GET http://shop.example/api/users'"],
  async run({ values, positionals, terminal, io }) {
    const [file = ""] = positionals;
    const times = Number(values.times ?? 4);
    if (!(Number.isInteger(times) && times >= 1 && times <= 100)) throw new UsageError("--times is a whole number from 1 to 100");
    const probes = (values.request ?? []).map(probeOf);
    try {
      const { requests, differences } = await compareNginx(file, {
        program: values.nginx ?? "nginx",
        times,
        probes,
        unsupported: values.unsupported ?? "refuse",
        signal: io.signal,
      });
      if (terminal.format === "json") await terminal.json({ requests, differences });
      else if (differences.length > 0) await terminal.lines(table(columns, differences, terminal.format === "wide"));
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

const columns = [
  { title: "REQUEST", cell: ({ request }: ParityDifference) => plain(request) },
  { title: "NGINX", cell: ({ nginx }: ParityDifference) => plain(nginx) },
  { title: "INMESH", cell: ({ inmesh }: ParityDifference) => plain(inmesh) },
];

function probeOf(text: string): Probe {
  const [, method = "GET", host, path = "/"] = /^(?:([A-Z]+) )?http:\/\/([^/?\s]+)([/?]\S*)?$/.exec(text) ?? [];
  if (host === undefined) throw new UsageError(`--request is such as "GET http://shop.example/api", not ${plain(text)}`);
  return { method, host, path: path.startsWith("?") ? `/${path}` : path };
}
