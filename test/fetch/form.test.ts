import { describe, expect, it } from "vitest";
import { encodeForm } from "../../src/fetch/form.ts";

/** The text of a form, with another boundary. */
async function encodedByNode(form: FormData, boundary: string): Promise<string> {
  const response = new Response(form);
  const theirs = /boundary=(.*)$/.exec(response.headers.get("content-type") as string)?.[1] as string;
  return (await response.text()).replaceAll(theirs, boundary);
}

describe("a form", () => {
  it("is encoded byte for byte as by Node", async () => {
    const form = new FormData();
    form.append("plain", "value");
    form.append('quo"ted\r\n', "lines\nof\rall\r\nkinds");
    form.append("ünï", "cödé \u{1f600}");
    form.append("empty", "");
    form.append("file", new File(["bytes"], 'na"me\n.txt', { type: "text/plain" }));
    form.append("untyped", new Blob([new Uint8Array([0, 255])]));
    form.append("empty file", new File([], "x"));
    const { parts, contentType } = encodeForm(form);
    const boundary = /^multipart\/form-data; boundary=(.*)$/.exec(contentType)?.[1] as string;
    expect(await new Blob([...parts]).text()).toBe(await encodedByNode(form, boundary));
  });

  it("has another boundary each time", () => {
    expect(encodeForm(new FormData()).contentType).not.toBe(encodeForm(new FormData()).contentType);
  });
});
