import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { classArchive, eurekaCommand } from "./eureka-command.ts";
import { eurekaInstance } from "./eureka-instance.ts";
import { requestJson } from "./json-request.ts";
import { startOnFreePorts } from "./ports.ts";
import { startProcess } from "./process.ts";
import { runStep, timed } from "./step.ts";

const name = "eureka";
const source = join(import.meta.dirname, "eureka");

/** Runs the new server once, so that the Java machine writes an archive of the classes it loaded. */
const archiveClasses = async (directory: string): Promise<void> => {
  const server = await startOnFreePorts(1, "127.0.0.1", ([port]) =>
    startProcess({
      name,
      prepare: (temporary) =>
        eurekaCommand(directory, temporary, `-XX:ArchiveClassesAtExit=${classArchive}`, { "server.port": String(port) }),
      probe: async (signal) => {
        await requestJson(`http://127.0.0.1:${port}/eureka/apps/warm-up`, {
          method: "POST",
          body: eurekaInstance({ app: "warm-up", port: 1 }),
          signal,
        });
        await requestJson(`http://127.0.0.1:${port}/eureka/apps`, { signal });
      },
      deadlineMs: 120_000,
      graceMs: 120_000,
    }),
  );
  await server.stop();
};

/** Builds the Eureka server of `eureka/pom.xml` into `directory`: jars, and an archive of its classes for a quick start. */
export const buildEureka = async (directory: string): Promise<void> => {
  const classes = join(directory, "classes");
  await mkdir(classes);
  await runStep({
    name,
    doing: "fetching its jars",
    file: "mvn",
    args: [
      "--batch-mode",
      "--file",
      join(source, "pom.xml"),
      "dependency:copy-dependencies",
      "-DincludeScope=runtime",
      `-DoutputDirectory=${join(directory, "lib")}`,
    ],
    // Maven's own target directory, if it wants one, must not appear in the checkout.
    cwd: directory,
  });
  await runStep({
    name,
    doing: "compiling",
    file: "javac",
    args: ["--release", "17", "-cp", join("lib", "*"), "-d", "classes", join(source, "EurekaMain.java")],
    cwd: directory,
  });
  await copyFile(join(source, "application.yml"), join(classes, "application.yml"));
  await runStep({ name, doing: "packing", file: "jar", args: ["cf", "eureka.jar", "-C", "classes", "."], cwd: directory });
  await rm(classes, { recursive: true });
  await timed(name, "running it once for the class archive", () => archiveClasses(directory));
};
