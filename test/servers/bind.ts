import { execFile } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { requireServer } from "./available.ts";
import { bindEnvironment } from "./bind-files.ts";
import { startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** The record types that {@link BindServer.set} takes. */
export type RecordType = "A" | "AAAA" | "CNAME" | "SRV" | "TXT";

/**
 * What a name can be made to do: "nxdomain" no such name, "nodata" a name without records, "drop" no answer at all,
 * "truncate" a truncated answer by UDP and the whole one by TCP, "servfail" SERVFAIL.
 */
export type DnsFault = "nxdomain" | "nodata" | "drop" | "truncate" | "servfail";

/** A real BIND with the zone `test`, of which every record and fault can be changed while it runs. */
export interface BindServer extends ServerProcess {
  readonly host: string;
  readonly port: number;
  /** `host:port`, as `Resolver.setServers` takes it. */
  readonly address: string;
  /**
   * Replaces the records of one type, such as `set("web", "A", ["127.0.0.1"])` for `web.test`; visible when resolved.
   * Names in records are written whole: `set("_http._tcp.web", "SRV", ["0 10 8080 a.test."])`.
   */
  set(name: string, type: RecordType, records: readonly string[], ttlSeconds?: number): Promise<void>;
  /** Removes every record of a name. */
  remove(name: string): Promise<void>;
  /** Makes every question for a name go wrong, in effect when resolved. */
  fault(name: string, fault: DnsFault): Promise<void>;
  /** Takes a fault back, in effect when resolved. */
  heal(name: string): Promise<void>;
}

const host = "127.0.0.1";
const source = join(import.meta.dirname, "bind");

/** Targets of a CNAME in a response policy zone, each of which BIND takes for an action. */
const policyTargets: Readonly<Record<DnsFault, string>> = {
  nxdomain: ".",
  nodata: "*.",
  drop: "rpz-drop.",
  truncate: "rpz-tcp-only.",
  servfail: "x.servfail.test2.",
};

/** `web` and `web.test` are the same name. */
const wholeName = (name: string): string => (name.endsWith(".test") ? name : `${name}.test`);

const writeConfiguration = async (directory: string, port: number): Promise<void> => {
  const template = await readFile(join(source, "named.conf.template"), "utf8");
  await writeFile(join(directory, "named.conf"), template.replaceAll("@PORT@", String(port)));
  for (const zone of ["test.db", "rpz.db"]) {
    // After a restart the zone is as it was: what was set is in there, or in the journal beside it.
    await copyFile(join(source, "empty-zone.db"), join(directory, zone), 1).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
};

const resolverOf = (address: string): Resolver => {
  const resolver = new Resolver({ timeout: 250, tries: 1 });
  resolver.setServers([address]);
  return resolver;
};

/** Starts BIND on a free port of 127.0.0.1 with an empty zone `test`; a restart keeps records and faults. */
export const startBind = async (): Promise<BindServer> => {
  const root = requireServer("bind");
  const env = await bindEnvironment(root);
  const started = await startOnFreePorts(1, host, async ([port = 0]) => {
    const server = await startProcess({
      name: "bind",
      async prepare(directory) {
        await writeConfiguration(directory, port);
        return { file: join(root, "usr", "sbin", "named"), args: ["-g", "-c", "named.conf", "-n", "1"], env };
      },
      async probe() {
        const resolver = resolverOf(`${host}:${port}`);
        await resolver.resolve4("ns.test");
        await resolver.resolve4("ns.rpz");
      },
    });
    return { server, port };
  });
  const { server, port } = started;
  const address = `${host}:${port}`;
  const resolver = resolverOf(address);
  let sentinel = 0;

  const update = (zone: "test" | "rpz", lines: readonly string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { env: { ...process.env, ...env }, timeout: 10_000 };
      const child = execFile(join(root, "usr", "bin", "nsupdate"), ["-t", "5"], options, (error, _stdout, stderr) => {
        if (error === null) resolve();
        else reject(new Error(`nsupdate failed: ${stderr.trim() || error.message}`, { cause: error }));
      });
      child.stdin?.on("error", () => {}); // It ended early: its exit says why.
      child.stdin?.end([`server ${host} ${port}`, `zone ${zone}.`, ...lines, "send", ""].join("\n"));
    });

  // A policy zone takes effect a moment after the update was answered. A record that sorts behind all others and is new
  // with every update shows when that was.
  const updatePolicy = async (lines: readonly string[]): Promise<void> => {
    const before = `zz-${sentinel}-zz.test`;
    const now = `zz-${++sentinel}-zz.test`;
    await update("rpz", [...lines, `update delete ${before}.rpz.`, `update add ${now}.rpz. 0 A 127.0.0.1`]);
    const deadline = performance.now() + 10_000;
    for (;;) {
      try {
        await resolver.resolve4(now);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw new Error("BIND did not take up a change of its faults", { cause: error });
        await sleep(2);
      }
    }
  };

  const { restart } = server;
  return Object.assign(server, {
    host,
    port,
    address,
    async restart() {
      await restart();
      await updatePolicy([]);
    },
    async set(name: string, type: RecordType, records: readonly string[], ttlSeconds = 1) {
      const owner = `${wholeName(name)}.`;
      const added = records.map((record) => `update add ${owner} ${ttlSeconds} ${type} ${record}`);
      await update("test", [`update delete ${owner} ${type}`, ...added]);
    },
    async remove(name: string) {
      await update("test", [`update delete ${wholeName(name)}.`]);
    },
    async fault(name: string, fault: DnsFault) {
      const owner = `${wholeName(name)}.rpz.`;
      await updatePolicy([`update delete ${owner}`, `update add ${owner} 0 CNAME ${policyTargets[fault]}`]);
    },
    async heal(name: string) {
      await updatePolicy([`update delete ${wholeName(name)}.rpz.`]);
    },
  });
};
