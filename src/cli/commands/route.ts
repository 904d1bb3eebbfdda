import { DocumentError, fromText } from "../../config/config.ts";
import { createMesh } from "../../index.ts";
import { type Command, command as declare } from "../command.ts";
import { codeOption, unknownNames } from "../configuration/config-names.ts";
import { routeLines } from "../configuration/route-view.ts";
import { exitCodes } from "../exit-codes.ts";
import { givenHeaders } from "../fetch/request.ts";
import { readNamedFile } from "../named-file.ts";
import { formatOption } from "../option-table.ts";
import { UsageError } from "../usage-error.ts";

const options = {
  config: { type: "string", short: "c", value: "FILE", help: "The configuration with the routes. Required." },
  method: { type: "string", short: "X", value: "METHOD", help: "The method. Default: `GET`." },
  header: {
    type: "string",
    short: "H",
    multiple: true,
    value: "LINE",
    help: "A header, `name: value`; of a file of such lines, `@FILE`. May be repeated.",
  },
  "hash-key": { type: "string", value: "KEY", help: "The key of the call (`mesh.hashKey`)." },
  ...codeOption,
  ...formatOption,
} as const;

/** `inmesh route TARGET`. */
export const command: Command = declare({
  description:
    "Says which route of a configuration decides on a call, where the call goes, and why no earlier route does. Nothing is sent or connected.\nThe caller of a request that is being answered is not known here.",
  positionals: ["TARGET"],
  options,
  examples: ["inmesh route shop/api/orders/7 --config mesh.yaml", "inmesh route shop/ -c mesh.yaml -X POST -H 'x-user: 7'"],
  async run({ values, positionals: [target = ""], terminal }) {
    const { config: file } = values;
    if (file === undefined) throw new UsageError("route needs --config FILE, the configuration with the routes");
    try {
      const text = (await readNamedFile(file)).toString("utf8");
      const read = await fromText(text, file, unknownNames(values.code ?? []));
      await using mesh = createMesh({ ...read, observers: [] });
      const hashKey = values["hash-key"];
      const explanation = await mesh.route(target, {
        method: values.method ?? "GET",
        headers: await givenHeaders(values.header ?? []),
        ...(hashKey === undefined ? {} : { mesh: { hashKey } }),
      });
      if (terminal.format === "json") await terminal.json(explanation);
      else await terminal.lines(routeLines(explanation));
      return explanation.fault === undefined ? exitCodes.ok : exitCodes.failed;
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      terminal.note(error.message);
      return exitCodes.failed;
    }
  },
});
