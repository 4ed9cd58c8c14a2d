// Numbers rounded as decimals, half away from zero: the shortest decimal that stands for a float is what is rounded,
// not the binary number, which may lie just below a half. librarian/shared/words.py does the same.

// `value`, finite and not below 0, times ten to the power of `shift`, with at most so many places: with commas, and
// without zeros at the end.
/** @type {(value: number, places: number, shift?: number) => string} */
export function rounded(value, places, shift = 0) {
  const { digits, point } = decimalOf(value, shift);
  const kept = digits.slice(0, point + places).padEnd(point + places, "0");
  const number = BigInt(kept) + (Number(digits[point + places] ?? "0") >= 5 ? 1n : 0n);
  const text = String(number).padStart(places + 1, "0");
  const whole = text.slice(0, text.length - places).replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = text.slice(text.length - places).replace(/0+$/, "");
  return rest ? `${whole}.${rest}` : whole;
}

// Its digits, and how many of them stand before the point: one at least.
/** @type {(value: number, shift: number) => { digits: string, point: number }} */
function decimalOf(value, shift) {
  const [mantissa, exponent = "0"] = String(value).split("e");
  const [whole, part = ""] = mantissa.split(".");
  const point = whole.length + Number(exponent) + shift;
  const before = "0".repeat(Math.max(0, 1 - point));
  return { digits: before + whole + part, point: Math.max(1, point) };
}
