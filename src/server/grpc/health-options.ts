import { refuseOption } from "../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { custom } from "../../core/settings/rules.ts";

/** Says of a service whether it serves; `undefined` for one that this process does not have. */
export type ServesService = (service: string) => boolean | undefined;

/** gRPC's health service, which answers for this process; `grpc` in the options of `health`. */
export interface GrpcHealthOptions {
  /**
   * The services that callers can ask for beside the process as a whole: their names, each as ready as the process, or a function that says whether one of
   * them serves. @default those of the server of grpc-js
   */
  readonly services?: readonly string[] | ServesService;
}

/** The rules of {@link GrpcHealthOptions}. */
export const grpcHealthOptions = optionTable<GrpcHealthOptions>()({
  services: custom<readonly string[] | ServesService | undefined>({
    type: "string[] | (service: string) => boolean | undefined",
    default: undefined,
    defaultText: "those of the server of grpc-js",
    check(option, value) {
      const isList = Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "");
      if (!(isList || typeof value === "function"))
        refuseOption(option, value, "names of services, or a function that says of one whether it serves");
    },
  }),
});

/** {@link GrpcHealthOptions} with the defaults filled in. */
export type GrpcHealthSettings = Settled<typeof grpcHealthOptions.rules>;
