/** What the runner tells a child process, by environment variable. */
export const suiteVariable = "INMESH_COMPAT_SUITE";
export const subjectVariable = "INMESH_COMPAT_SUBJECT";
/** The file in which a child notes the tests that called fetch. */
export const touchedVariable = "INMESH_COMPAT_TOUCHED";

/** Whose fetch is measured: ours, Node's own, or the suite's. */
export type Subject = "mesh" | "node" | "undici";
export const subjects: readonly Subject[] = ["mesh", "node", "undici"];
