import { mergeConfig } from "vitest/config";
import common from "../../vitest.config.ts";

const { file, from, to } = JSON.parse(process.env["INMESH_PLANTED"] ?? '{"file":""}') as Record<"file" | "from" | "to", string>;

/** Changes the one file while it is loaded: the sources themselves stay as they are. */
const planted = {
  name: "planted defect",
  enforce: "pre" as const,
  transform: (code: string, id: string) => (id.split("?")[0] === file ? code.replace(from, () => to) : undefined),
};

// Without the build of `dist`, which has none of it, and without the cache of transformed files, which would have the file without the defect.
const { globalSetup: _, ...options } = common.test ?? {};

export default mergeConfig({ ...common, test: options }, { plugins: [planted], test: { fsModuleCache: false } });
