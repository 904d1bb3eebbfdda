import { readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Command } from "./process.ts";

/** The file in a Eureka build that holds its loaded classes (AppCDS), which halve the time of a start. */
export const classArchive = "eureka.jsa";

/**
 * The command that runs the Eureka build in `root`. It works in `root` with relative paths, because the class archive is
 * only used where the class path is, to the letter, the one it was made with; what it writes goes to `temporary`.
 */
export const eurekaCommand = (
  root: string,
  temporary: string,
  archiveOption: string,
  properties: Readonly<Record<string, string>>,
): Command => {
  const jars = readdirSync(join(root, "lib")).sort();
  const classPath = ["eureka.jar", ...jars.map((jar) => join("lib", jar))].join(delimiter);
  return {
    file: "java",
    cwd: root,
    args: [
      archiveOption,
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      "-Xmx128m",
      `-Djava.io.tmpdir=${temporary}`,
      "-cp",
      classPath,
      "EurekaMain",
      ...Object.entries(properties).map(([key, value]) => `--${key}=${value}`),
    ],
  };
};
