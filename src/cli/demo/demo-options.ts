/** What the demo can be told. */
export const demoOptions = {
  admin: { type: "boolean", help: "Serves the live page while it runs, and says where." },
  "admin-port": {
    type: "string",
    value: "PORT",
    help: "The port of the live page; implies `--admin`. Default: 7412, or a free one when that is taken.",
  },
  seconds: { type: "string", value: "NUMBER", help: "Ends after so many seconds. Default: 15, the length of the story." },
  forever: { type: "boolean", help: "Tells the story again and again until Ctrl-C." },
  json: { type: "string", value: "FILE", help: "Writes the figures into a file as JSON." },
} as const;
