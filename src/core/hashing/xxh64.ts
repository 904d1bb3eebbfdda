/** An unsigned 64-bit number in two unsigned halves of 32 bits. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

const blockBytes = 32;
const encoder = new TextEncoder();
let bytes = new Uint8Array(256);

// The accumulator, in two signed halves: BigInt would allocate at every step.
let high = 0;
let low = 0;

const laneStarts = Int32Array.of(0x60ea27ee, 0xadc0b5d6, 0xc2b2ae3d, 0x27d4eb4f, 0, 0, 0x61c8864e, 0x7a143579);
const laneShifts = [1, 7, 12, 18];
const lanes = new Int32Array(8);

/**
 * XXH64 of the UTF-8 bytes of a text (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), the hash by which Envoy and gRPC place keys and
 * hosts. It is no cryptographic hash: chosen texts can be made to collide.
 * @param seed a whole number from 0 to 2³² − 1
 */
export function xxh64(text: string, seed = 0): Hash64 {
  const size = encode(text);
  let at = 0;
  if (size >= blockBytes) {
    at = absorbBlocks(size, seed);
  } else {
    set(0x27d4eb2f, 0x165667c5);
    add(0, seed);
  }
  add(0, size);
  for (; at + 8 <= size; at += 8) {
    const accumulatedHigh = high;
    const accumulatedLow = low;
    set(0, 0);
    absorb(at);
    xor(accumulatedHigh, accumulatedLow);
    rotate(27);
    multiply(0x9e3779b1, 0x85ebca87);
    add(0x85ebca77, 0xc2b2ae63);
  }
  if (at + 4 <= size) {
    xorProduct(word(at), 0x9e3779b1, 0x85ebca87);
    rotate(23);
    multiply(0xc2b2ae3d, 0x27d4eb4f);
    add(0x165667b1, 0x9e3779f9);
    at += 4;
  }
  for (; at < size; at++) {
    xorProduct(bytes[at] as number, 0x27d4eb2f, 0x165667c5);
    rotate(11);
    multiply(0x9e3779b1, 0x85ebca87);
  }
  low ^= high >>> 1;
  multiply(0xc2b2ae3d, 0x27d4eb4f);
  const shiftedLow = (low >>> 29) | (high << 3);
  high ^= high >>> 29;
  low ^= shiftedLow;
  multiply(0x165667b1, 0x9e3779f9);
  low ^= high;
  return { high: high >>> 0, low: low >>> 0 };
}

/** Writes the text into `bytes` and returns their number. */
function encode(text: string): number {
  const { length } = text;
  if (bytes.length < length * 3) bytes = new Uint8Array(length * 3);
  // Most keys are short and ASCII: a loop is then faster than the encoder.
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return encoder.encodeInto(text, bytes).written;
    bytes[index] = code;
  }
  return length;
}

/** Absorbs whole blocks of 32 bytes in four lanes. Leaves the sum of the lanes in the accumulator and returns the number of bytes read. */
function absorbBlocks(size: number, seed: number): number {
  for (let lane = 0; lane < 4; lane++) {
    set(laneStarts[2 * lane] as number, laneStarts[2 * lane + 1] as number);
    add(0, seed);
    store(lane);
  }
  let at = 0;
  for (; at + blockBytes <= size; at += blockBytes) {
    for (let lane = 0; lane < 4; lane++) {
      set(lanes[2 * lane] as number, lanes[2 * lane + 1] as number);
      absorb(at + 8 * lane);
      store(lane);
    }
  }
  set(0, 0);
  for (let lane = 0; lane < 4; lane++) {
    const sumHigh = high;
    const sumLow = low;
    set(lanes[2 * lane] as number, lanes[2 * lane + 1] as number);
    rotate(laneShifts[lane] as number);
    add(sumHigh, sumLow);
  }
  for (let lane = 0; lane < 4; lane++) {
    const accumulatedHigh = high;
    const accumulatedLow = low;
    set(lanes[2 * lane] as number, lanes[2 * lane + 1] as number);
    multiply(0xc2b2ae3d, 0x27d4eb4f);
    rotate(31);
    multiply(0x9e3779b1, 0x85ebca87);
    xor(accumulatedHigh, accumulatedLow);
    multiply(0x9e3779b1, 0x85ebca87);
    add(0x85ebca77, 0xc2b2ae63);
  }
  return at;
}

function store(lane: number): void {
  lanes[2 * lane] = high;
  lanes[2 * lane + 1] = low;
}

/** One round with the 8 bytes at `at`. */
function absorb(at: number): void {
  const accumulatedHigh = high;
  const accumulatedLow = low;
  set(word(at + 4), word(at));
  multiply(0xc2b2ae3d, 0x27d4eb4f);
  add(accumulatedHigh, accumulatedLow);
  rotate(31);
  multiply(0x9e3779b1, 0x85ebca87);
}

/** The 4 bytes at `at`, little-endian. */
function word(at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

function set(newHigh: number, newLow: number): void {
  high = newHigh | 0;
  low = newLow | 0;
}

function xor(otherHigh: number, otherLow: number): void {
  high ^= otherHigh;
  low ^= otherLow;
}

function add(otherHigh: number, otherLow: number): void {
  const sum = (low >>> 0) + (otherLow >>> 0);
  high = (high + otherHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
  low = sum | 0;
}

/** Rotates the accumulator to the left, by 1 to 31 bits. */
function rotate(bits: number): void {
  const rotatedHigh = (high << bits) | (low >>> (32 - bits));
  low = (low << bits) | (high >>> (32 - bits));
  high = rotatedHigh;
}

function multiply(otherHigh: number, otherLow: number): void {
  high = (highOfProduct(low, otherLow) + Math.imul(high, otherLow) + Math.imul(low, otherHigh)) | 0;
  low = Math.imul(low, otherLow);
}

/** XORs the accumulator with the product of an unsigned 32-bit number and a 64-bit one. */
function xorProduct(factor: number, otherHigh: number, otherLow: number): void {
  high ^= (highOfProduct(factor, otherLow) + Math.imul(factor, otherHigh)) | 0;
  low ^= Math.imul(factor, otherLow);
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers, computed by halves of 16 bits. */
function highOfProduct(one: number, other: number): number {
  const oneLow = one & 0xffff;
  const oneHigh = one >>> 16;
  const otherLow = other & 0xffff;
  const otherHigh = other >>> 16;
  const middle = (Math.imul(oneHigh, otherLow) + (Math.imul(oneLow, otherLow) >>> 16)) >>> 0;
  const carry = (Math.imul(oneLow, otherHigh) + (middle & 0xffff)) >>> 0;
  return (Math.imul(oneHigh, otherHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}
