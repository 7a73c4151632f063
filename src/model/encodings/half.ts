/** The value of an IEEE 754 half-precision number at byte `at`. */
export const halfAt = (bytes: DataView, at: number): number => {
  const bits = bytes.getUint16(at, true);
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const magnitude = (exponent === 0 ? fraction : 1024 + fraction) * (UNITS[exponent] ?? 0);
  if (exponent === 31) return fraction ? NaN : bits & 0x8000 ? -Infinity : Infinity;
  return bits & 0x8000 ? -magnitude : magnitude;
};

/** What the last bit of the fraction is worth, by exponent; subnormals share the smallest normals'. */
const UNITS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (Math.max(1, exponent) - 25));
