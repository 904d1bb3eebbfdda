/** The clients that are compared. */
export const grpcCases = ["inmesh/grpc", "grpc-js round_robin"] as const;

export type GrpcCase = (typeof grpcCases)[number];

/** Calls in front of those that are measured, in each turn. */
export const unmeasuredCalls = 500;
