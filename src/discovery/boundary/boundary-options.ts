import { refuseOption } from "../../core/settings/checks.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom, group, orFalse } from "../../core/settings/rules.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { isRegionName, regionNameRule } from "../../core/text/region-name.ts";

/** The regions that requests of a service stay in. */
export interface BoundaryOptions {
  /**
   * Names of regions. One that ends in `*` stands for all that begin with the text before it: `eu-*`. Case counts. Instances whose region is
   * unknown are outside. @default must be given
   */
  readonly region: readonly string[];
}

/** The option `boundary` of a mesh and of a service. */
export interface BoundaryOption {
  /**
   * The regions that no request of the service leaves: endpoints elsewhere are never connected to, by whatever door and for whatever reason, and
   * a service without an endpoint inside has none (`ERR_MESH_NO_ENDPOINTS`); `false` = no boundary. @default false
   */
  readonly boundary?: BoundaryOptions | false;
}

/** The rules of {@link BoundaryOptions}. */
const boundaryOptions = optionTable<BoundaryOptions>()({
  region: custom<readonly string[]>({
    type: "string[]",
    default: [],
    defaultText: "must be given",
    check(option, value) {
      if (!(Array.isArray(value) && value.length > 0)) refuseOption(option, value, 'an array of names of regions, such as ["eu-*"]');
      for (const pattern of value as readonly unknown[]) checkPattern(option, pattern);
    },
  }),
});

/** The rules of {@link BoundaryOption}. */
export const boundaryOption = optionTable<BoundaryOption>()({
  boundary: orFalse(
    group(boundaryOptions, (option, { region }) => {
      if (region === undefined) throw new TypeError(`${option} needs region: ${option}: { region: ["eu-*"] }`);
    }),
    false,
  ),
});

function checkPattern(option: string, pattern: unknown): void {
  if (typeof pattern === "string" && /^\*+$/.test(pattern))
    throw new TypeError(`${option}: ${quoted(pattern)} stands for every region, which is no boundary; boundary: false is none`);
  const name = typeof pattern === "string" && pattern.endsWith("*") ? pattern.slice(0, -1) : pattern;
  if (!isRegionName(name)) refuseOption(option, pattern, `a name of a region: ${regionNameRule}, and "*" only at its end`);
}
