/** The requests and answers of hives. */
import { Type } from '@sinclair/typebox';
import { ms, oid, optional, whole, text as words } from '../../command/fields.ts';

export const hive = Type.String({ description: 'dr-general, dr-managed or lookup.' });
export const HiveParams = Type.Object({ hive, oid });
export const RecordParams = Type.Object({
  hive,
  oid,
  name: Type.String({ description: 'The record, percent-encoded whole.' }),
});
export const text = { expected: 'text, given once' };
export const etag = optional(Type.String(), { ...text, description: 'Writes only if the record still has this etag.' });
const json = (description: string) => Type.Optional(Type.Unknown({ description }));
export const usr_mtd = json('`{enabled, expiry, tags, comment}`, or its JSON; replaces all of it.');
export const data = json('The data, or its JSON.');
export const Written = Type.Object({
  guid: Type.String(),
  hive: Type.Object({ name: Type.String(), partition: Type.String() }),
  name: Type.String(),
});

export const RecordSchema = Type.Object(
  {
    data: Type.Record(Type.String(), Type.Unknown(), { description: 'By hive; empty if only metadata are shown.' }),
    usr_mtd: Type.Object({
      enabled: Type.Boolean(),
      expiry: whole('Unix ms; 0: never.'),
      tags: Type.Array(Type.String()),
      comment: Type.String(),
    }),
    sys_mtd: Type.Object({
      etag: words('Changes with every change of the record.'),
      created_at: ms('Created'),
      created_by: Type.String(),
      guid: Type.String(),
      author: words('Who last stored, renamed or enabled it, or extended its expiry; "" if unknown.'),
      last_author: words('Who last changed it or its metadata.'),
      last_mod: ms('Last change'),
      last_error: words('The last error; "" if there is none.'),
      last_error_ts: ms('Time of the last error'),
    }),
  },
  { description: 'The record.' },
);

export const Records = Type.Record(Type.String(), RecordSchema, { description: 'Records by name.' });
export const RecordPage = Type.Object(
  { records: Records, next_cursor: Type.String({ description: '"" on the last page.' }) },
  { description: 'In pages.' },
);
