import { quoted } from "../../core/text/clean-text.ts";
import type { Part } from "./part.ts";

/** The resources in files that a file of Envoy names, each read once, by the path that it names. */
export class Resources {
  readonly #files = new Map<string, readonly Part[]>();

  get size(): number {
    return this.#files.size;
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  add(path: string, resources: readonly Part[]): void {
    this.#files.set(path, resources);
  }

  /** All resources. */
  all(): readonly Part[] {
    return [...this.#files.values()].flat();
  }

  /** The resources of a type in the file that a `ConfigSource` names. */
  of(source: Part | undefined, type: string): readonly Part[] {
    const path = source?.text("path_config_source", "path");
    return (path === undefined ? [] : (this.#files.get(path) ?? [])).filter((each) => each.peek("@type")?.endsWith(`/${type}`));
  }

  /** The one with this name. */
  named(source: Part, type: string, field: string, name: string): Part {
    const all = this.of(source, type);
    const found = all.find((each) => each.peek(field) === name) ?? (all.length === 1 && name === "" ? all[0] : undefined);
    return (
      found ?? source.refuse(`${quoted(source.text("path_config_source", "path"))} has no ${type.replace(/^.*\./, "")} ${quoted(name)}`)
    );
  }
}
