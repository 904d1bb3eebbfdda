// An instance whose every execution leaves a line in a journal: `begin id` before its handler works, `end id` after.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

const journal = process.argv[2] as string;

const server = createServer((request, response) => {
  const id = `${request.method} ${request.url?.slice(1)}`;
  request.resume();
  request.on("end", () => {
    // One write, appended: it survives the process, and lines of several processes do not mix.
    appendFileSync(journal, `begin ${id}\n`);
    setTimeout(() => {
      appendFileSync(journal, `end ${id}\n`);
      response.end(id);
    }, 5);
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as { port: number }).port));
// Ends with the test that started it, however that ends.
process.on("disconnect", () => process.exit());
