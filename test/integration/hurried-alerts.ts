import { parse, stringify } from "yaml";

/** The rules as they are written, but for their windows: minutes become seconds and hours minutes. */
export function shortened(rules: string): string {
  const shorter: Readonly<Record<string, string>> = { m: "s", h: "m", d: "h" };
  const duration = (text: string): string => text.replace(/(\d+)([mhd])/g, (_, count: string, unit: string) => `${count}${shorter[unit]}`);
  return rules
    .replace(/\[\w+\]/g, duration)
    .replace(/^( *(?:for|interval): )(\w+)$/gm, (_, key: string, value: string) => key + duration(value));
}

/** The configuration of Alertmanager as it is written, but for its waits. */
export function hurried(config: string): string {
  const document = parse(config) as { route: Record<string, unknown> & { routes: Record<string, unknown>[] } };
  for (const route of [document.route, ...document.route.routes]) Object.assign(route, { group_wait: "0s", group_interval: "1s" });
  return stringify(document);
}
