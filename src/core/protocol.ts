/** What is spoken to an instance. */
export type Protocol = "h1" | "h2" | "auto";

/** Whether connections over HTTP/1.1 are kept for the requests of others, or each carries one request. */
export type Isolation = "shared" | "per-request";
