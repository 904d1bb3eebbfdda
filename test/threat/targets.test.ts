import { describe, expect, it } from "vitest";
import { doors } from "../support/doors.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve, serveRaw } from "../support/servers.ts";

/** A mesh over two services, one of which an attacker would like to reach through the other. */
async function watched() {
  const [svc, evil] = [await serve(), await serve()];
  const mesh = meshOf({ svc: svc.port, evil: evil.port }, { retry: false });
  return { mesh, svc, evil };
}

/** Each target with why it is refused, as the error has it after `is refused: `. */
async function refusals(targets: readonly string[]): Promise<readonly (readonly [target: string, why: string])[]> {
  const { mesh, svc, evil } = await watched();
  const found: [string, string][] = [];
  for (const target of targets) {
    const error = (await rejectionOf(mesh.fetch(target))) as Error & { readonly service?: string };
    expect(error, target).toMatchObject({ code: "ERR_MESH_INVALID_TARGET", maybeExecuted: false });
    found.push([target, error.message.split(" is refused: ")[1] ?? error.message]);
  }
  expect([svc.begun, evil.begun, svc.accepted, evil.accepted]).toEqual([[], [], 0, 0]);
  // Nothing was resolved, and no instance has to do with it.
  expect(mesh.explain("svc")?.endpoints ?? []).toEqual([]);
  expect((await mesh.fetch("svc/honest")).status).toBe(200);
  return found;
}

const noName = "a service name is dot-separated labels of 1 to 63 characters of A-Z, a-z, 0-9, _ and -, without - at either end";
const dots = "the path has a dot segment (`.`, `..` or an encoded form)";
const noPort = "a port or another scheme is not allowed: discovery gives the port";
const noUser = "user information is not allowed";
const notPrintable =
  "the path and query may hold printable ASCII without backslash and white space only: encode the rest with encodeURIComponent";

describe("targets that are made of what a user has sent", () => {
  it.each<[row: string, targets: readonly (readonly [target: string, why: string])[]]>([
    [
      "T01: dot segments in the name and in the path",
      [
        ["../admin/x", noName],
        ["%2e%2e/x", noName],
        ["svc%2e%2e/x", noName],
        ["a/../../x", dots],
        ["svc/%2e%2e/x", dots],
        ["svc/x/.%2E", dots],
        ["svc/./x", dots],
      ],
    ],
    [
      "T03: another host in place of a path, or of a service",
      [
        ["//evil/x", "it names no service"],
        ["//svc/x", "it names no service"],
        ["https:evil", noPort],
        ["HTTP://evil/x", noPort],
        ["mesh:evil/x", noPort],
        ["file:///etc/passwd", noPort],
      ],
    ],
    [
      "T04: user information",
      [
        ["svc@evil/x", noUser],
        ["user:pw@svc/x", noUser],
        ["http://svc@evil/x", noUser],
      ],
    ],
    [
      "T05: backslashes, white space and control characters",
      [
        ["svc\\@evil/x", noUser],
        ["svc/\\evil", notPrintable],
        ["svc\t/x", noName],
        ["svc/\tx", notPrintable],
        ["svc/\nx", notPrintable],
        ["svc/\rx", notPrintable],
        ["svc/\0x", notPrintable],
        ["svc/\x7fx", notPrintable],
        ["svc/ x", notPrintable],
        ["svc/x HTTP/1.1\r\nhost: evil\r\n\r\n", notPrintable],
      ],
    ],
    [
      "T06: letters that look alike, and names that another reader normalises",
      [
        ["sv\u0441/x", noName],
        ["\uff53vc/x", noName],
        ["svc./x", noName],
        ["svc\u3002evil/x", noName],
        ["xn--/x", noName],
        ["svc\u00ad/x", noName],
        ["svc/\u2025/x", notPrintable],
      ],
    ],
    [
      "T08: a port of the caller's choice, and addresses",
      [
        ["svc:22/x", noPort],
        ["http://svc:22/x", noPort],
        ["[::1]/x", noPort],
        ["2130706433/x", "an IP address is not a service name"],
        ["0x7f000001/x", "an IP address is not a service name"],
        ["127.1/x", "an IP address is not a service name"],
        ["127.0.0.1/x", "an IP address is not a service name"],
      ],
    ],
  ])("%s are refused before anything is resolved", async (_row, targets) => {
    expect(await refusals(targets.map(([target]) => target))).toEqual(targets);
  });

  it("T03: a URL names the service of its host and nothing else, and no absolute form leaves", async () => {
    const raw = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    const { mesh } = await watched();
    const own = meshOf({ svc: raw.port });
    expect(await rejectionOf(mesh.fetch("http://unknown/x"))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS", service: "unknown" });
    for (const door of [doors.fetch, doors.request, doors.dispatcher, doors.agent]) await door(own, { path: "/x" });
    expect(raw.received.map((bytes) => bytes.split("\r\n")[0])).toEqual(new Array(4).fill("GET /x HTTP/1.1"));
    for (const door of [doors.dispatcher, doors.agent, doors.upgrade]) await rejectionOf(door(own, { path: "http://evil/x" }));
    expect(raw.received).toHaveLength(4);
  });
});

describe("what a caller of a mesh could write into a request", () => {
  const injected = ["a\r\nx-admin: 1", "a\nx-admin: 1", "a\0b", "a\r\n\r\nGET /admin HTTP/1.1\r\nhost: svc\r\n\r\n"];

  it("T10: line breaks and NUL in header, method, path, upgrade, type of a Blob and name of a form field are refused or escaped", async () => {
    const raw = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    const mesh = meshOf({ svc: raw.port }, { retry: false });
    for (const text of injected) {
      for (const door of [doors.fetch, doors.request, doors.dispatcher, doors.agent]) {
        expect(await rejectionOf(door(mesh, { headers: { "x-a": text } })), text).toBeInstanceOf(Error);
        expect(await rejectionOf(door(mesh, { headers: { [text]: "1" } })), text).toBeInstanceOf(Error);
        expect(await rejectionOf(door(mesh, { path: `/${text}` })), text).toBeInstanceOf(Error);
      }
      await expect(mesh.fetch("svc/x", { method: text })).rejects.toBeInstanceOf(Error);
      await expect(mesh.request("svc/x", { method: text })).rejects.toBeInstanceOf(Error);
      await expect(
        mesh.dispatcher().upgrade({ origin: "ws://svc", path: "/", protocol: text, method: "GET" } as never),
        text,
      ).rejects.toBeInstanceOf(Error);
    }
    expect(raw.received).toEqual([]);
    const typed = new Blob(["x"], { type: "text/plain" });
    Object.defineProperty(typed, "type", { value: "text/plain\r\nx-admin: 1" });
    await mesh.fetch("svc/x", { method: "POST", body: typed }).catch(() => {});
    const form = new FormData();
    form.set('a"\r\nx-admin: 1', new Blob(["x"]), 'f"\r\nx-admin: 1\r\n\r\n');
    await mesh.fetch("svc/x", { method: "POST", body: form });
    expect(raw.received.join("")).not.toMatch(/^x-admin/m);
    expect(raw.received.join("")).toContain("%0D%0Ax-admin: 1");
  });

  // node:http writes the heads of what goes through the agent.
  it.each(["fetch", "request", "dispatcher"] as const)(
    "T11: headers of the hop and of the framing are refused, dropped or written by the mesh: by %s",
    async (door) => {
      const raw = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
      const mesh = meshOf({ svc: raw.port }, { retry: false });
      const attacks: Record<string, string> = {
        connection: "x-mesh-identity, close",
        "keep-alive": "timeout=601",
        "transfer-encoding": "gzip, chunked",
        // Long, since it must not be found by chance in the random name of the mesh.
        "content-length": "4001400140",
        te: "trailers, x-te",
        trailer: "x-trailed",
        upgrade: "h2c",
        host: "evil",
        ":authority": "evil",
        "proxy-authorization": "Basic eDp5",
        "proxy-connection": "keep-alive-proxy",
      };
      const outcomes: Record<string, string> = {};
      for (const [name, value] of Object.entries(attacks)) {
        const before = raw.received.length;
        const failed = await doors[door](mesh, { headers: { [name]: value } }).then(
          () => false,
          () => true,
        );
        const sent = raw.received.slice(before).join("");
        outcomes[name] = failed ? "refused" : sent.includes(value) ? "sent" : "dropped";
      }
      const refused = [":authority", ...(door === "dispatcher" ? ["keep-alive", "transfer-encoding", "upgrade"] : [])];
      expect(outcomes).toEqual(
        Object.fromEntries(Object.keys(attacks).map((name) => [name, refused.includes(name) ? "refused" : "dropped"])),
      );
    },
  );
});
