import { quoted } from "../../core/text/clean-text.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import type { Route } from "../route.ts";
import { routeRule } from "./route-rules.ts";

/** The most rules of a table: a larger one was made by mistake. */
const mostRoutes = 100_000;

/** The error of a service that may not be called, for messages that name the option; `undefined` for one that may. */
export type RefusalOf = (service: string, option: string) => Error | undefined;

/**
 * Checks a table of routes. `option` is its name in errors.
 * @throws TypeError or RangeError naming the part, `routes[3].match.path`, and the value.
 */
export function checkRoutes(option: string, routes: unknown): asserts routes is readonly Route[] {
  if (!Array.isArray(routes)) throw new TypeError(`${option} must be a list of routes`);
  if (routes.length > mostRoutes) throw new RangeError(`${option} has ${routes.length} routes; ${mostRoutes} are the most`);
  const names = new Map<string, number>();
  for (const [index, route] of routes.entries()) {
    const where = `${option}[${index}]`;
    if (route === undefined || route === null) throw new TypeError(`${where} is no route`);
    withHint(() => routeRule.check(where, route));
    const name = (route as Route).name ?? where;
    const before = names.get(name);
    if (before !== undefined)
      throw new TypeError(`${where}.name ${quoted(name)} is the name of ${option}[${before}], too: it stands once in a table`);
    names.set(name, index);
  }
}

/**
 * Checks that the services may be called that routes lead to.
 * @throws the error of the first that may not.
 */
export function checkRoutedServices(option: string, routes: readonly Route[], refusalOf: RefusalOf): void {
  for (const [index, route] of routes.entries()) {
    for (const [part, service] of servicesOf(route)) {
      const refusal = refusalOf(service, `${option}[${index}].${part}`);
      if (refusal !== undefined) throw refusal;
    }
  }
}

/** The services that a rule sends calls to, with the part that names each. */
export function servicesOf({ to, split, mirror }: Route): readonly (readonly [part: string, service: string])[] {
  const found: [string, string | undefined][] = [
    ["to", typeof to === "string" ? to : to?.service],
    ...(split?.targets ?? []).map(({ service }, index): [string, string | undefined] => [`split.targets[${index}].service`, service]),
    ...([mirror ?? []].flat() as readonly { readonly service?: string }[]).map(({ service }): [string, string | undefined] => [
      "mirror",
      service,
    ]),
  ];
  return found.filter((each): each is [string, string] => each[1] !== undefined);
}

/** Adds to the error of an unknown part the one that was probably meant. */
function withHint(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [, unknown, known] = /has no option "([^"]*)"; it has ([^;]*)$/.exec(error.message) ?? [];
    const meant = unknown === undefined ? undefined : nearestName(unknown, (known ?? "").split(", "));
    if (meant !== undefined) error.message += `; did you mean ${quoted(meant)}?`;
    throw error;
  }
}
