/** Tags: the tags of a sensor, setting and removing them, all tags of an org, and the sensors with a tag. */
import { Type } from '@sinclair/typebox';
import { TAG_MAX_BYTES } from '../../command/check.ts';
import { Empty, OidParams, oid, optional, SidParams, SidQuery } from '../../command/fields.ts';
import { refuseLonger, refuseUnstorable } from '../../command/reader.ts';
import { ApiError } from '../../errors.ts';
import type { SensorView } from '../../model/sensor.ts';
import { TAGS_MAX, tagsAboveLimit } from '../../model/tags.ts';
import { sendObject } from '../http/json-stream.ts';
import { type Route, route } from '../http/route.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { allTags, sensorsWithTag } from '../sensors/sensor-tags.ts';
import { tagLists } from '../sensors/sensor-view.ts';
import { type SensorChange, writePresence } from '../sensors/sensor-writes.ts';
import { knownSensor } from '../sensors/sensors.ts';
import { answerChange } from './sensors.ts';

const CALL_TAGS_MAX = 100;
/** Ten years. */
const TTL_MAX_SECONDS = 315_360_000;

const tagNote = { expected: `1 to ${CALL_TAGS_MAX} tags`, description: 'The tags.' };
const Accepted = Type.Object({}, { description: 'The change is on the log and will be applied.' });
const changed = { 200: Empty, 202: Accepted };

export const tagRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/:sid/tags',
    rights: ['sensor.get', 'sensor.list', 'sensor.tag'],
    tag: 'sensors',
    summary: 'Shows the tags of a sensor.',
    schema: {
      params: SidParams,
      querystring: SidQuery,
      response: {
        200: Type.Object(
          { tags: Type.Record(Type.String(), Type.Record(Type.String(), Type.Array(Type.String()))) },
          { description: 'By sid, then by tag: the sensor, the tag, who set it, as of when.' },
        ),
      },
    },
    handle: async ({ context }, request) => {
      const { sid } = request.params;
      const { epoch } = await usableStatus(context.reads, request.oid);
      const { view } = await knownSensor(context, request.oid, sid);
      await stillUsable(context.reads, request.oid, epoch);
      return { tags: { [sid]: tagLists(view, context.nowMs()) } };
    },
  }),
  route({
    method: 'POST',
    url: '/v1/:sid/tags',
    rights: ['sensor.tag'],
    tag: 'sensors',
    summary: 'Sets tags on a sensor, permanently or for a limited time.',
    schema: {
      params: SidParams,
      querystring: SidQuery,
      body: Type.Object({
        tags: Type.Array(Type.String(), { ...tagNote, minItems: 1, maxItems: CALL_TAGS_MAX }),
        ttl: optional(Type.Integer({ minimum: 1, maximum: TTL_MAX_SECONDS }), {
          expected: `a whole number of seconds from 1 to ${TTL_MAX_SECONDS}`,
          description: 'The tags expire after so many seconds.',
        }),
      }),
      response: changed,
    },
    handle: async ({ context }, request, reply) => {
      const { tags, ttl } = request.body;
      const { sid } = request.params;
      const nowMs = context.nowMs();
      const expires_at = ttl == null ? null : nowMs + ttl * 1_000;
      const add_tags = checkedTags(tags).map((tag) => ({ tag, expires_at }));
      await usableStatus(context.reads, request.oid);
      const { view } = await knownSensor(context, request.oid, sid);
      refuseWithoutRoom(view, { add_tags }, nowMs);
      return answerChange(reply, await writePresence(context, request.oid, sid, { add_tags }));
    },
  }),
  route({
    method: 'DELETE',
    url: '/v1/:sid/tags',
    rights: ['sensor.tag'],
    tag: 'sensors',
    summary: 'Removes tags from a sensor, including those that it reports itself.',
    schema: {
      params: SidParams,
      querystring: SidQuery,
      body: Type.Object({
        tag: optional(Type.String(), { expected: 'one tag', description: 'One tag.' }),
        tags: optional(Type.Array(Type.String(), { maxItems: CALL_TAGS_MAX }), {
          expected: 'tags, with commas between them',
          description: 'Several, with commas between them.',
        }),
      }),
      response: changed,
    },
    handle: async ({ context }, request, reply) => {
      const { tag, tags } = request.body;
      const { sid } = request.params;
      const several = (tags ?? []).flatMap((some) => some.split(',')).filter((one) => one !== '');
      const remove_tags = checkedTags([...(tag ? [tag] : []), ...several]);
      await usableStatus(context.reads, request.oid);
      const { view } = await knownSensor(context, request.oid, sid);
      refuseWithoutRoom(view, { remove_tags }, context.nowMs());
      return answerChange(reply, await writePresence(context, request.oid, sid, { remove_tags }));
    },
  }),
  route({
    method: 'GET',
    url: '/v1/tags/:oid',
    rights: ['sensor.list', 'sensor.tag'],
    tag: 'sensors',
    summary: 'Lists the tags that sensors of the org have.',
    schema: {
      params: OidParams,
      response: { 200: Type.Object({ tags: Type.Array(Type.String()) }, { description: 'Each once, in order.' }) },
    },
    handle: async ({ context }, request) => {
      const { epoch } = await usableStatus(context.reads, request.oid);
      const tags = await allTags(context, request.oid);
      await stillUsable(context.reads, request.oid, epoch);
      return { tags };
    },
  }),
  route({
    method: 'GET',
    url: '/v1/tags/:oid/:tag',
    rights: ['sensor.list', 'sensor.tag'],
    tag: 'sensors',
    summary: 'Lists the sensors that have a tag.',
    schema: {
      params: Type.Object({ oid, tag: Type.String({ expected: 'a tag', description: 'The tag, percent-encoded.' }) }),
      response: {
        200: Type.Record(Type.String(), Type.Object({ sid: Type.String(), hostname: Type.String() }), {
          description: 'By sid.',
        }),
      },
    },
    handle: async ({ context }, request, reply) => {
      const { epoch } = await usableStatus(context.reads, request.oid);
      return sendObject(reply, sensorsWithTag(context, request.oid, request.params.tag, epoch));
    },
  }),
];

/** The tags without repeats. Throws `data_invalid` for a text that is not a tag. */
function checkedTags(tags: readonly string[]): string[] {
  const given = [...new Set(tags)];
  if (given.length === 0 || given.length > CALL_TAGS_MAX || given.includes(''))
    throw new ApiError('data_invalid', `Give 1 to ${CALL_TAGS_MAX} tags, none of them empty.`);
  for (const tag of given) {
    refuseUnstorable('tag', tag);
    refuseLonger('tag', tag, TAG_MAX_BYTES);
  }
  return given;
}

/** Throws `data_invalid` for tags above the limit, which would be ignored when they are applied. */
function refuseWithoutRoom(view: SensorView, change: SensorChange, nowMs: number): void {
  const tags = tagsAboveLimit(view, change, nowMs);
  if (tags.length === 0) return;
  const [what, then] = change.add_tags
    ? ['set on it', 'Remove some tags first.']
    : ['removed from it', 'Set some of those again first.'];
  throw new ApiError(
    'data_invalid',
    `A sensor has at most ${TAGS_MAX} tags ${what}, and ${tags.length} of these exceed the limit: nothing was changed. ${then}`,
  );
}
