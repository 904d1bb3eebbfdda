import type { Behaviour } from "../../instances.ts";
import type { Probe } from "../../parity-case.ts";
import type { NginxCase, NginxPart } from "../case-file.ts";

/** What a case has beside its name, its directive and its part of a file. */
export type CaseOptions = Partial<Omit<NginxCase, "name" | "about" | "nginx" | "file">>;

/** A case of nginx: two instances, one request to `/`, and each outcome with its instance compared, unless `options` say otherwise. */
export function nginxCase(name: string, about: string, nginx: NginxPart, options: CaseOptions = {}): NginxCase {
  return { name, about, instances: ["ok", "ok"], probes: [{ path: "/" }], compare: "instance", file: {}, nginx, ...options };
}

/** A request for each path. */
export function paths(...all: readonly string[]): readonly Probe[] {
  return all.map((path) => ({ path }));
}

/** Instances that all do the same. */
export function all(count: number, behaviour: Behaviour = "ok"): readonly Behaviour[] {
  return Array.from({ length: count }, () => behaviour);
}
