/**
 * Keys of the selector index. A key is a text in a field, a prefix of it, or an item of the tags. Keys are looked up in usual records
 * only: a text in each text field, a list of texts in `tags`.
 */
import { anchoredText } from '../regex/anchored-text.ts';
import { codeToName } from '../sensor/codes.ts';
import type { SensorFieldName } from '../sensor/fields.ts';

/** Fields that hold one text. */
const TEXT_FIELDS = [
  'sid',
  'oid',
  'iid',
  'did',
  'hostname',
  'mac_addr',
  'ext_ip',
  'int_ip',
  'plat',
  'ext_plat',
  'arch',
] as const satisfies readonly SensorFieldName[];

type TextField = (typeof TEXT_FIELDS)[number];

export type KeyField = TextField | 'tags';

/** The field is this text, begins with it, or has it among its items. */
export type KeyKind = 'equal' | 'start' | 'item';

export interface Key {
  readonly kind: KeyKind;
  readonly field: KeyField;
  readonly text: string;
}

export interface RequiredKeys {
  readonly keys: readonly Key[];
  /** A usual record that has one of the keys makes the clause true. */
  readonly exact: boolean;
}

const textFields: ReadonlySet<string> = new Set(TEXT_FIELDS);
const isTextField = (field: string): field is TextField => textFields.has(field);

/** The field is the text, or the name that the text is the code of. */
export function equalKeys(field: string, text: string): RequiredKeys | null {
  if (!isTextField(field)) return null;
  const texts = new Set([codeToName(field, text), text]);
  return { keys: [...texts].map((one) => ({ kind: 'equal', field, text: one })), exact: true };
}

/** The text is one of the tags. */
export const itemKeys = (field: string, text: string): RequiredKeys | null =>
  field === 'tags' ? { keys: [{ kind: 'item', field, text }], exact: true } : null;

/** The field is, or begins with, one of the texts that the regular expression requires. */
export function anchoredKeys(field: string, pattern: string): RequiredKeys | null {
  if (!isTextField(field)) return null;
  const anchored = anchoredText(pattern);
  if (anchored === null) return null;
  const kind = anchored.whole ? 'equal' : 'start';
  return { keys: anchored.texts.map((text) => ({ kind, field, text })), exact: anchored.exact };
}
