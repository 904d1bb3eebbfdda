/** Texts whose mutations meet most of what YAML has: each part of it stands in one of them. */
export const yamlSeeds: readonly string[] = [
  `# a comment
---
discovery: { static: { orders: [ "http://10.0.0.1:80", 'http://[::1]:80' ] } }
timeoutMs: 3000
retry: { maxAttempts: 2, on: [5xx, "reset"] } # another
routes:
- name: one
  match:
    path: {prefix: /a, "exact":"x"}
    method: [GET, HEAD]
  to: orders
- match: [ { host: "*.example.com" },
    { host: a:1 } ]
  respond:
    status: 404
    body: "a \\"b\\" \\\\ \\n"

- to: it's
`,
  `a:
  - - 1
    - 2
  - b: .5
    c: -0
    d: 1e3

    # inner
    e: ~
  -
    f: TRUE
    "g": 'it''s # none'
h: a#b # c
i: http://x:80/y?z=1,2
80: x
true: y
`,
  `{
  "a": [1, 2.50, -3, {"b": null, "c": false}],
  "d": {},
  "e": [],
  "f": "\\u00e9\\/ \\t", "g:h": "x"
}
`,
  `static_resources:
  clusters:
  - name: a
    typed_config:
      "@type": type.googleapis.com/x.Y
    load_assignment:
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}
    text: |
      block
        scalar
    folded: >-
      one
      two
    anchor: &a {b: 1}
    alias: *a
    tagged: !!str 1
    long: one
      two
    "quoted
      long": x
    ? complex
    : value
`,
];
