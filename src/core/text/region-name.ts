/** The names that a region may have. Registries are written by others: what has another form, such as white space, is no region. */
const regionName = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,254}$/;

/** Characteristics of the name of a region, for messages. */
export const regionNameRule = 'letters, digits and ".", "_", ":", "/", "-" behind a letter or digit';

/** Whether `text` may be the name of a region. */
export function isRegionName(text: unknown): text is string {
  return typeof text === "string" && regionName.test(text);
}
