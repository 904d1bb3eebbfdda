import { type ConfigData, compareConfigs, DocumentError, effectiveConfig, fromText, isAtOnce } from "../../config/config.ts";
import { yamlLines } from "../../documents/write-document.ts";
import { type Call, type Command, command as declare } from "../command.ts";
import { codeOption, unknownNames } from "../config-names.ts";
import { exitCodes } from "../exit-codes.ts";
import { readNamedFile } from "../named-file.ts";
import { formatOption } from "../option-table.ts";
import { plain } from "../terminal/plain.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { UsageError } from "../usage-error.ts";

const options = {
  ...formatOption,
  ...codeOption,
} as const;

/** `inmesh config check|print|diff`. */
export const command: Command = declare({
  description:
    "Reads the configuration of a mesh in YAML or JSON. check: whether createMesh takes it, with the place of the first fault. print: every option that is in force,\nwith the defaults, and no secrets. diff: the options that two files have otherwise. Needs no network.",
  positionals: ["ACTION", "FILE", "[OTHER]"],
  options,
  examples: ["inmesh config check mesh.yaml", "inmesh config print mesh.yaml", "inmesh config diff old.yaml mesh.yaml"],
  async run(call) {
    const [action = "", file = "", other] = call.positionals;
    const isDiff = action === "diff";
    if (isDiff !== (other !== undefined))
      throw new UsageError(isDiff ? "config diff needs two files" : `config ${plain(action)} takes one file`);
    try {
      if (action === "check") return await check(call, file);
      if (action === "print") return await print(call.terminal, await effectiveOf(file));
      if (isDiff) return await diff(call.terminal, await effectiveOf(file), await effectiveOf(other as string));
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      call.terminal.note(error.message);
      return exitCodes.failed;
    }
    throw new UsageError(`there is no config ${plain(action)}; there are check, print and diff`);
  },
});

async function check({ values, terminal }: Call<typeof options>, file: string): Promise<number> {
  const text = (await readNamedFile(file)).toString("utf8");
  const read = await fromText(text, file, unknownNames(values.code ?? []));
  // Nothing was connected; what was made may hold files open.
  await read.discovery.close?.();
  const services = Object.keys(read.services ?? {}).length;
  terminal.note(`${plain(file)} is right: ${services} ${services === 1 ? "service" : "services"} with options of their own`);
  return exitCodes.ok;
}

async function effectiveOf(file: string): Promise<ConfigData> {
  return effectiveConfig((await readNamedFile(file)).toString("utf8"), file);
}

async function print(terminal: Terminal, config: ConfigData): Promise<number> {
  if (terminal.format === "json") await terminal.json(config);
  else await terminal.lines(yamlLines(config).map(plain));
  return exitCodes.ok;
}

async function diff(terminal: Terminal, before: ConfigData, after: ConfigData): Promise<number> {
  const differences = compareConfigs(before, after);
  const shown = (value: unknown) => (value === undefined ? "-" : plain(JSON.stringify(value)));
  const rows = differences.map((each) => ({ ...each, change: isAtOnce(each.option) ? "at once" : "restart" }));
  type Row = (typeof rows)[number];
  const columns = [
    { title: "OPTION", cell: ({ option }: Row) => plain(option) },
    { title: "BEFORE", cell: (row: Row) => shown(row.before) },
    { title: "AFTER", cell: (row: Row) => shown(row.after) },
    { title: "CHANGE", cell: ({ change }: Row) => change },
  ];
  if (terminal.format === "json") await terminal.json(rows);
  else if (rows.length > 0) await terminal.lines(table(columns, rows, terminal.format === "wide"));
  const restart = rows.filter(({ change }) => change === "restart").length;
  terminal.note(
    rows.length === 0 ? "no difference" : `${rows.length} different${restart === 0 ? "" : `, of which ${restart} need a restart`}`,
  );
  return differences.length === 0 ? exitCodes.ok : exitCodes.failed;
}
