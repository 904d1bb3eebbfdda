// A process: node admin-process.ts PORT RPS. Calls twenty services with ten instances each when asked, with or without the live page.
import { setTimeout as pause } from "node:timers/promises";
import { type Admin, admin } from "../src/admin/admin.ts";
import { createMesh, openTelemetry, staticDiscovery } from "../src/index.ts";
import { answerParent, cpuMicros } from "./children.ts";

/** A question to the process: to serve the page or to stop serving it, or to call for so many seconds. */
export type AdminQuestion = { readonly isServed: boolean } | { readonly seconds: number };

/** The address of the page, and the CPU of the calls. */
export interface AdminAnswer {
  readonly url: string;
  /** Percent of a core. */
  readonly percent: number;
}

if (import.meta.main) {
  const [port = 0, rps = 0] = process.argv.slice(2).map(Number);
  const names = Array.from({ length: 20 }, (_, index) => `service-${index}`);
  const instances = Array.from({ length: 10 }, (_, index) => ({ id: `i${index}`, host: "127.0.0.1", port }));
  const mesh = createMesh({
    discovery: staticDiscovery(Object.fromEntries(names.map((name) => [name, instances]))),
    observers: [openTelemetry()],
    connections: { max: 2 },
  });
  let page: Admin | undefined;
  const load = async (seconds: number): Promise<void> => {
    const startedAt = performance.now();
    for (let made = 0, elapsedMs = 0; elapsedMs < seconds * 1_000; elapsedMs = performance.now() - startedAt) {
      for (; made < (elapsedMs * rps) / 1_000; made++) {
        mesh
          .fetch(`${names[made % names.length]}/users/42`)
          .then((response) => response.text())
          .catch(() => {});
      }
      await pause(5);
    }
  };
  answerParent<AdminQuestion, AdminAnswer>({ url: "", percent: 0 }, async (question) => {
    let percent = 0;
    if ("seconds" in question) {
      await load(1);
      const before = performance.now();
      const micros = await cpuMicros(() => load(question.seconds));
      percent = micros / (performance.now() - before) / 10;
    } else if (question.isServed !== (page !== undefined)) {
      // Only where that changes something: a page that has just been started is cold.
      await page?.close();
      page = question.isServed ? await admin(mesh, { port: 0 }) : undefined;
    }
    return { url: page?.url ?? "", percent };
  });
}
