import type { MeshSnapshot } from "../../admin/snapshot.ts";
import { plain } from "../terminal/plain.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** The state of the registry as a line, escaped; empty where the process is older than that line. */
export function registryLine({ registry }: Partial<MeshSnapshot>, terminal: Pick<Terminal, "style">): string {
  if (typeof registry?.text !== "string") return "";
  const text = plain(registry.text);
  return registry.state === "ok" ? text : terminal.style(registry.state === "failing" ? "red" : "yellow", text);
}
