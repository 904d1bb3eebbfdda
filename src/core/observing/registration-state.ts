/**
 * The state of a registration at one registry, or at the worst of several.
 *
 * - `pending`: the registry has not accepted it yet, and has not failed.
 * - `registered`: the registry has it.
 * - `failing`: the registry could not be reached, has refused it, or lists another process under its id. It is tried again until it is ended.
 * - `deregistered`: it has ended.
 */
export type RegistrationState = "pending" | "registered" | "failing" | "deregistered";

/** All of {@link RegistrationState}, the worst first. */
export const registrationStates: readonly RegistrationState[] = ["failing", "pending", "registered", "deregistered"];
