// The worker module that the type tests look at.
export function add(a: number, b: number): number {
  return a + b;
}
export async function greet(name: string, polite?: boolean): Promise<string> {
  return polite ? `Dear ${name}` : name;
}
export function total(...values: number[]): number {
  return values.length;
}
export const limit = 3;
export class Shape {}
export function setup(): void {}
export function teardown(): void {}
