// node docs/options-tables.ts [--write]: the tables of docs/reference/options.md, from the tables of the options in src with the doc comments
// of the interfaces beside them; with --write it puts them in their place there.
import { readFileSync, writeFileSync } from "node:fs";
import type { OptionRule } from "../src/core/settings/option-rule.ts";
import { callOptions } from "../src/fetch/call-options.ts";
import { gatewayOptions } from "../src/gateway/gateway-options.ts";
import { gatewayListenOptions } from "../src/gateway/listening/listen-options.ts";
import { wholeMeshOptions } from "../src/mesh/mesh-options.ts";
import { serviceTables } from "../src/mesh/service-options.ts";
import { registrationOptions } from "../src/registration/register-options.ts";
import { serveOptions } from "../src/server/serve-options.ts";
import { withPart } from "./marked-part.ts";
import { type OptionComment, OptionComments, programOf } from "./option-comments.ts";

const page = new URL("reference/options.md", import.meta.url);
const begin = "<!-- tables: written by docs/options-tables.ts -->";
const end = "<!-- end of tables -->";

type Rules = Readonly<Record<string, OptionRule<unknown>>>;

/** An option with its rule and its comment. */
export interface DocumentedOption extends OptionComment {
  /** With the groups that it is in: `retry.budget.ratio`. */
  readonly path: string;
  readonly name: string;
  readonly rule: OptionRule<unknown>;
}

/** Options that are in one table. */
export interface OptionGroup {
  readonly title: string;
  readonly options: readonly DocumentedOption[];
}

/** All options. */
export interface OptionGroups {
  readonly levels: readonly OptionGroup[];
  readonly groups: readonly OptionGroup[];
}

/** The options of each level, and the groups that are in them, depth first. */
export function optionGroups(): OptionGroups {
  const [mesh, calls] = ["src/mesh/mesh-options.ts", "src/core/dispatch.ts"] as const;
  const [registering, serving] = ["src/registration/register-options.ts", "src/server/serve-options.ts"] as const;
  const [proxying, listening] = ["src/gateway/gateway-options.ts", "src/gateway/listening/listen-options.ts"] as const;
  const program = programOf([mesh, calls, registering, serving, proxying, listening]);
  const ofMesh = new OptionComments(program, mesh, "MeshOptions");
  const ofCall = new OptionComments(program, calls, "CallOptions");
  const ofRegistration = new OptionComments(program, registering, "RegistrationOptions");
  const ofServing = new OptionComments(program, serving, "ServeOptions");
  const ofGateway = new OptionComments(program, proxying, "GatewayOptions");
  const ofServices: Rules = Object.assign({}, ...serviceTables.map(({ rules }) => rules));
  const levels = [
    { title: "The mesh only", options: documented([], wholeMeshOptions.rules, ofMesh) },
    { title: "The mesh or a service", options: documented([], ofServices, ofMesh) },
    { title: "A call", options: documented([], callOptions.rules, ofCall) },
    { title: "mesh.register", options: documented([], registrationOptions.rules, ofRegistration) },
    { title: "serve", options: documented([], serveOptions.rules, ofServing) },
    { title: "gateway", options: documented([], gatewayOptions.rules, ofGateway) },
    {
      title: "gateway.listen",
      options: documented([], gatewayListenOptions.rules, new OptionComments(program, listening, "GatewayListenOptions")),
    },
  ];
  const [ofWhole, ofService] = levels;
  const ofServe = levels.find(({ title }) => title === "serve");
  const groups = [ofService, ofWhole].flatMap((level) => groupsIn(level?.options ?? [], ofMesh));
  const ofProxy = levels.find(({ title }) => title === "gateway");
  return { levels, groups: [...groups, ...groupsIn(ofServe?.options ?? [], ofServing), ...groupsIn(ofProxy?.options ?? [], ofGateway)] };
}

function documented(group: readonly string[], rules: Rules, comments: OptionComments): readonly DocumentedOption[] {
  return Object.entries(rules).map(([name, rule]) => {
    const path = [...group, name];
    return { path: path.join("."), name, rule, ...comments.of(path) };
  });
}

function groupsIn(options: readonly DocumentedOption[], comments: OptionComments): readonly OptionGroup[] {
  return options.flatMap(({ path, rule }) => {
    if (rule.table === undefined) return [];
    const inner = documented(path.split("."), rule.table.rules, comments);
    return [{ title: path, options: inner }, ...groupsIn(inner, comments)];
  });
}

/** The default of an option as its `@default` tag has it, without marks of code. */
export function defaultOf({ default: value, defaultText }: OptionRule<unknown>): string {
  if (defaultText !== undefined) return defaultText.replaceAll("`", "");
  return typeof value === "number" || value === undefined ? String(value ?? "none") : JSON.stringify(value);
}

const code = (text: string): string => `\`${text}\``;
/** A bar would end the cell. */
const inCell = (text: string): string => text.replace(/(?<!\\)\|/g, "\\|");
const anchorOf = (path: string): string => path.toLowerCase().replace(/[^\w-]/g, "");

function defaultCell(rule: OptionRule<unknown>): string {
  if (rule.defaultText !== undefined) return rule.defaultText;
  if (rule.default === undefined) return "none";
  if (rule.table === undefined || rule.default === false) return code(defaultOf(rule));
  return rule.type.endsWith("false") ? "on" : "see below";
}

function valuesCell({ type, range, unit, table }: OptionRule<unknown>): string {
  return type
    .split(" | ")
    .map((each) => {
      if (each === "number" && range !== undefined) return unit === undefined ? range : `${range} ${unit}`;
      return table !== undefined && each === "object" ? "options" : code(each);
    })
    .join(" or ");
}

/** The table of options, of which groups lead to a heading with their name. */
export function tableOf(options: readonly DocumentedOption[], isOfMesh = false): readonly string[] {
  const rows = options.map(({ path, name, rule, sentence }) => {
    const shown = rule.table === undefined ? code(name) : `[${code(name)}](#${anchorOf(path)})`;
    const change = isOfMesh ? [rule.atOnce === true ? "at once" : "restart"] : [];
    return `| ${[shown, defaultCell(rule), valuesCell(rule), ...change, sentence].map(inCell).join(" | ")} |`;
  });
  return isOfMesh
    ? ["| option | default | values | change | meaning |", "|---|---|---|---|---|", ...rows]
    : ["| option | default | values | meaning |", "|---|---|---|---|", ...rows];
}

/** The levels whose options may change while the mesh runs, or may not. */
const levelsOfMesh: readonly string[] = ["The mesh only", "The mesh or a service"];

function optionsTables({ levels, groups }: OptionGroups): string {
  return [
    ...levels.flatMap(({ title, options }) => [`## ${title}`, "", ...tableOf(options, levelsOfMesh.includes(title)), ""]),
    "## Groups",
    "",
    ...groups.flatMap(({ title, options }) => [`### ${title}`, "", ...tableOf(options), ""]),
  ]
    .join("\n")
    .trimEnd();
}

/** The text of `docs/reference/options.md` with the tables as they should be. */
export function withOptionsTables(text: string, options: OptionGroups = optionGroups()): string {
  return withPart(text, begin, end, optionsTables(options));
}

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(page, withOptionsTables(readFileSync(page, "utf8")));
  else process.stdout.write(`${optionsTables(optionGroups())}\n`);
}
