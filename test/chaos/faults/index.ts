import type { Fault } from "../rig/fault.ts";
import { F01 } from "./F01.ts";
import { F02 } from "./F02.ts";
import { F03 } from "./F03.ts";
import { F04 } from "./F04.ts";
import { F05 } from "./F05.ts";
import { F07 } from "./F07.ts";
import { F08 } from "./F08.ts";
import { F09 } from "./F09.ts";
import { F10 } from "./F10.ts";
import { F11 } from "./F11.ts";
import { F12 } from "./F12.ts";
import { F13 } from "./F13.ts";
import { F15 } from "./F15.ts";
import { F16 } from "./F16.ts";
import { F17 } from "./F17.ts";
import { F18 } from "./F18.ts";
import { F19 } from "./F19.ts";
import { F20 } from "./F20.ts";
import { F21 } from "./F21.ts";
import { F22 } from "./F22.ts";
import { F23 } from "./F23.ts";
import { F24 } from "./F24.ts";
import { F25 } from "./F25.ts";
import { F27 } from "./F27.ts";
import { F28 } from "./F28.ts";
import { F29 } from "./F29.ts";
import { F31 } from "./F31.ts";
import { F32 } from "./F32.ts";
import { F34 } from "./F34.ts";
import { F35 } from "./F35.ts";
import { F36 } from "./F36.ts";
import { F37 } from "./F37.ts";
import { F38 } from "./F38.ts";
import { F40 } from "./F40.ts";
import { F41 } from "./F41.ts";
import { F42 } from "./F42.ts";
import { F43 } from "./F43.ts";
import { F44 } from "./F44.ts";
import { F45 } from "./F45.ts";
import { F46 } from "./F46.ts";
import { F47 } from "./F47.ts";
import { F49 } from "./F49.ts";
import { F51 } from "./F51.ts";
import { F53 } from "./F53.ts";
import { F54 } from "./F54.ts";
import { F55 } from "./F55.ts";
import { F56 } from "./F56.ts";
import { F57 } from "./F57.ts";
import { F59 } from "./F59.ts";
import { F60 } from "./F60.ts";
import { F61 } from "./F61.ts";
import { F62 } from "./F62.ts";
import { F64 } from "./F64.ts";
import { F66 } from "./F66.ts";
import { F67 } from "./F67.ts";
import { F68 } from "./F68.ts";
import { F70 } from "./F70.ts";
import { F71 } from "./F71.ts";
import { F72 } from "./F72.ts";
import { F101 } from "./F101.ts";
import { F102 } from "./F102.ts";
import { F103 } from "./F103.ts";
import { F104 } from "./F104.ts";
import { F105 } from "./F105.ts";
import { F106 } from "./F106.ts";
import { F107 } from "./F107.ts";
import { F111 } from "./F111.ts";
import { F112 } from "./F112.ts";
import { F121 } from "./F121.ts";
import { F122 } from "./F122.ts";
import { F131 } from "./F131.ts";
import { F132 } from "./F132.ts";
import { F141 } from "./F141.ts";
import { F142 } from "./F142.ts";
import { F143 } from "./F143.ts";
import { F144 } from "./F144.ts";
import { F145 } from "./F145.ts";
import { F146 } from "./F146.ts";
import { F147 } from "./F147.ts";
import { F151 } from "./F151.ts";
import { F152 } from "./F152.ts";
import { F153 } from "./F153.ts";
import { F154 } from "./F154.ts";
import { F161 } from "./F161.ts";
import { F162 } from "./F162.ts";
import { F163 } from "./F163.ts";
import { F164 } from "./F164.ts";
import { F165 } from "./F165.ts";
import { F166 } from "./F166.ts";

/** Every row that can be run, in the order of the table. */
export const faults: readonly Fault[] = [
  F01,
  F02,
  F03,
  F04,
  F05,
  F07,
  F08,
  F09,
  F10,
  F11,
  F12,
  F13,
  F15,
  F16,
  F17,
  F18,
  F19,
  F20,
  F21,
  F22,
  F23,
  F24,
  F25,
  F27,
  F28,
  F29,
  F31,
  F32,
  F34,
  F35,
  F36,
  F37,
  F38,
  F40,
  F41,
  F42,
  F43,
  F44,
  F45,
  F46,
  F47,
  F49,
  F51,
  F53,
  F54,
  F55,
  F56,
  F57,
  F59,
  F60,
  F61,
  F62,
  F64,
  F66,
  F67,
  F68,
  F70,
  F71,
  F72,
  F101,
  F102,
  F103,
  F104,
  F105,
  F106,
  F107,
  F111,
  F112,
  F121,
  F122,
  F131,
  F132,
  F141,
  F142,
  F143,
  F144,
  F145,
  F146,
  F147,
  F151,
  F152,
  F153,
  F154,
  F161,
  F162,
  F163,
  F164,
  F165,
  F166,
];

/** Rows that wait for something that inmesh does not have yet, and for what. */
export const notYet: readonly { readonly id: string; readonly name: string; readonly waitsFor: string }[] = [
  { id: "F74", name: "grpc-negative-set", waitsFor: "a sender of gRPC in the rig" },
];
