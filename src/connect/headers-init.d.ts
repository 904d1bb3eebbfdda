/** The argument of `Headers`, by the name that the types of browsers have for it. The declarations of Connect use it, and those of Node.js have none. */
type HeadersInit = Exclude<ConstructorParameters<typeof Headers>[0], undefined>;
