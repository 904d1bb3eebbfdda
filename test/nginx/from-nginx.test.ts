import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fromNginx } from "../../src/nginx/from-nginx.ts";

test("a listener of notices that throws, or rejects, keeps a file of nginx from nothing", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nginx-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "nginx.conf");
  const text =
    "http { sendfile on; gzip on; upstream u { server 127.0.0.1:1; } server { listen 80; location / { proxy_pass http://u; } } }";
  writeFileSync(file, text);
  const told: string[] = [];
  const options = await fromNginx(file, {
    onNotice({ directive }) {
      told.push(directive);
      if (told.length === 1) throw new Error("no");
      return Promise.reject(new Error("no")) as never;
    },
  });
  expect(told.length).toBeGreaterThan(1);
  expect(Object.keys(options.services ?? {})).toEqual(["u"]);
});
