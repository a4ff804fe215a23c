/** Fields that many schemas of requests and answers share. A field of a request also says what a person reads when it is wrong. */
import { type TSchema, Type } from '@sinclair/typebox';
import type { Note } from './reader.ts';

/** null is the same as a field that is left out. */
export const optional = <T extends TSchema>(schema: T, note: Note) =>
  Type.Optional(Type.Union([schema, Type.Null()], note));

export const NAME_PATTERN = '^[A-Za-z0-9._:-]{1,128}$';
export const NAME = { expected: '1 to 128 characters of A-Z a-z 0-9 . _ : -' };
const PAGE_MAX = 10_000;

/** In paths: an org that is no UUID is one that the token does not name. */
export const oid = Type.String({ expected: 'the UUID of an org', description: 'The org.' });
export const sid = Type.String({
  pattern: NAME_PATTERN,
  ...NAME,
  code: 'sid_invalid',
  description: 'The sensor.',
});
export const OidParams = Type.Object({ oid });
export const SidParams = Type.Object({ sid });
/** Beside SidParams; read before the body is (admit.ts). */
export const whoseSensor = {
  oid: optional(Type.String(), {
    expected: 'the UUID of an org, given once',
    description: 'The org of the sensor. Required if several orgs of the token have a sensor with this sid.',
  }),
};
export const SidQuery = Type.Object(whoseSensor);

export const page = {
  limit: optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX }), {
    expected: `a whole number from 1 to ${PAGE_MAX}`,
    description: 'At most so many entries.',
  }),
  cursor: optional(Type.String(), { expected: 'the next_cursor of an earlier answer', description: 'Where to go on.' }),
};

/** The answer of calls that return nothing. */
export const Empty = Type.Object({}, { description: 'Done.' });

// Fields of answers.
export const text = (description: string) => Type.String({ description });
export const whole = (description: string) => Type.Integer({ description });
export const ms = (what: string) => whole(`${what}, Unix ms.`);
export const shownTaskId = text('The task.');
export const shownSid = text('The sensor.');
export const shownHostname = text('"" if unknown.');
export const nextCursor = Type.Optional(text('Where the next page starts; absent on the last page.'));

export const oneOf = <T extends string>(words: readonly T[], description: string) =>
  Type.Unsafe<T>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      { description },
    ),
  );
