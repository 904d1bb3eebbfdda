/** Options of `inmesh demo`. */
export const demoOptions = {
  admin: { type: "boolean", help: "Serves the live page while the demo runs, and prints its address." },
  "admin-port": {
    type: "string",
    value: "PORT",
    help: "The port of the live page; implies `--admin`. Default: 7412, or a free port when that is in use.",
  },
  seconds: { type: "string", value: "NUMBER", help: "Ends after so many seconds. Default: 15, the length of the story." },
  forever: { type: "boolean", help: "Repeats the story until Ctrl-C." },
  json: { type: "string", value: "FILE", help: "Writes the figures to a file as JSON." },
} as const;
