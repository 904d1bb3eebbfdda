import { load } from "./jose-package.cjs";

/**
 * Loads `jose`, an optional peer dependency.
 * @throws Error that says what to install when the package is missing.
 */
export function loadJose(): ReturnType<typeof load> {
  try {
    return load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error('inmesh/jwt needs the package "jose": npm install jose', { cause: error });
  }
}
