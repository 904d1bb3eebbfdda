import { DocumentError } from "../../config/config.ts";
import { yamlLines } from "../../documents/write-document.ts";
import { type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { type ImportReader, importReaders } from "../import/readers.ts";
import { readNamedFile } from "../named-file.ts";
import { formatOption } from "../option-table.ts";
import { plain } from "../terminal/plain.ts";
import { UsageError } from "../usage-error.ts";

const options = {
  ...formatOption,
  from: {
    type: "string",
    value: "PROGRAM",
    choices: ["nginx", "envoy"],
    help: "The program whose file it is. Default: by its name and text.",
  },
  listen: {
    type: "string",
    value: "ADDRESS",
    help: "nginx: the address, as `listen` has it, whose servers count. Envoy: the name of the listener.",
  },
  retries: {
    type: "string",
    value: "RULES",
    choices: ["as-nginx", "inmesh"],
    help: "nginx: whose rules say which calls are sent again. Default: as-nginx.",
  },
  unsupported: {
    type: "string",
    value: "HOW",
    choices: ["refuse", "answer-501"],
    help: "nginx: what becomes of a location with a directive that is not supported. Default: refuse.",
  },
} as const;

/** Bytes of a file of which its kind is seen. */
const maxBytes = 33_554_432;

/** `inmesh import`. */
export const command: Command = declare({
  description:
    "Prints the configuration of a mesh that a file of nginx or Envoy stands for, for `fromFile` of inmesh/config. What is not supported is an error with its place;\nwhat means something else here goes to the standard error output, a line each. Nothing is connected, and names are not resolved.",
  positionals: ["FILE"],
  options,
  examples: [
    "inmesh import nginx.conf > mesh.yaml",
    "inmesh import /etc/nginx/nginx.conf --listen 443",
    "inmesh import envoy.yaml -o json",
  ],
  async run({ values, positionals, terminal }) {
    const [file = ""] = positionals;
    try {
      const reader = await readerOf(file, values.from);
      const { data, notices } = await reader.read(file, {
        retries: values.retries,
        listen: values.listen,
        unsupported: values.unsupported,
      });
      for (const notice of notices) terminal.note(plain(notice));
      if (terminal.format === "json") await terminal.json(data);
      else await terminal.lines(yamlLines(data).map(plain));
      return exitCodes.ok;
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      terminal.note(plain(error.message));
      return exitCodes.failed;
    }
  },
});

async function readerOf(file: string, from: string | undefined): Promise<ImportReader> {
  const text = (await readNamedFile(file, maxBytes)).toString("utf8");
  const found = importReaders.find((reader) => (from === undefined ? reader.recognises(file, text) : reader.name === from));
  if (found !== undefined) return found;
  throw new UsageError(
    `${plain(file)} is of no program that is known; say --from ${importReaders.map(({ name }) => name).join(" or --from ")}`,
  );
}
