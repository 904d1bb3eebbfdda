import { DocumentError } from "../../config/config.ts";
import { yamlLines } from "../../documents/write-document.ts";
import { type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { readerOf } from "../import/readers.ts";
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
  v3: {
    type: "boolean",
    help: "Envoy: prints the file in the form of v3, which `envoy --mode validate` takes, in place of the configuration.",
  },
  discovery: {
    type: "string",
    value: "NAME",
    help: "Envoy: the source of endpoints of clusters that have none, as a configuration names it. Default: dns.",
  },
} as const;

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
    "inmesh import old-envoy.yaml --v3 > envoy.yaml",
  ],
  async run({ values, positionals, terminal }) {
    const [file = ""] = positionals;
    try {
      const reader = await readerOf(file, values.from);
      const { data, notices, current } = await reader.read(file, {
        retries: values.retries,
        listen: values.listen,
        unsupported: values.unsupported,
        discovery: values.discovery,
      });
      if (values.v3 === true && current === undefined) throw new UsageError("--v3 is for files of Envoy");
      const printed = values.v3 === true ? current : data;
      for (const notice of notices) terminal.note(plain(notice));
      if (terminal.format === "json") await terminal.json(printed);
      else await terminal.lines(yamlLines(printed).map(plain));
      return exitCodes.ok;
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      terminal.note(plain(error.message));
      return exitCodes.failed;
    }
  },
});
