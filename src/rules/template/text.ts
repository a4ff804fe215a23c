/** How a value looks in a text: numbers in full, objects and lists as JSON, nothing for what is not there. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
