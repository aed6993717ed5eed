// A module with one function, as its default export.
export default function square(value: number): number {
  return value * value;
}
