/** Rows as CSV (RFC 4180), for spreadsheets and programs. Pure. */

/** Ends with a line break; so does every row. */
export const csv = (headers: readonly string[], rows: readonly (readonly unknown[])[]): string =>
  csvRows([headers, ...rows]);

/** The fields of objects, in the order of their names. */
export const csvOf = <F extends string>(
  fields: readonly F[],
  objects: readonly Readonly<Partial<Record<F, unknown>>>[],
): string =>
  csv(
    fields,
    objects.map((one) => fields.map((field) => one[field])),
  );

export const csvRows = (rows: readonly (readonly unknown[])[]): string =>
  rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');

function cell(value: unknown): string {
  const text = Array.isArray(value) ? value.join(' ') : String(value ?? '');
  // What a spreadsheet would run as a formula is written as text; what looks so already gets one more mark, so that a reader
  // who takes a mark away has what was there.
  const safe = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
