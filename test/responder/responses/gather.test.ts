import { expect, test } from 'vitest';
import { judgeAll } from '../../../src/consumer.ts';
import type { SensorEvent } from '../../../src/model/records.ts';
import type { Decoded } from '../../../src/ports.ts';
import { gather, judgeResponse, responseId } from '../../../src/responder/responses/gather.ts';
import { OID, testOrgs, UNKNOWN_OID } from '../../command/orgs.ts';

const item = (offset: number, change: Partial<SensorEvent>) => {
  const bare = { investigation_id: null, task_id: null, routing: '{}', event: '{}', occurred_at: 7 };
  const value = { oid: OID, sid: 's', event_type: 'RECEIPT', event_id: `e${offset}`, ...bare, ...change };
  const position = { topic: 't', partition: 3, offset, timestampMs: 0, headers: {} };
  return { value, record: { ...position, key: Buffer.from(value.sid), value: Buffer.alloc(10) } };
};

const gathered = (items: Decoded<SensorEvent>[]) => gather(judgeAll(items, testOrgs(), judgeResponse).accepted);

test('events that name a task are its responses, in order, without delivery notices and events that are not valid', () => {
  const found = gathered([
    item(1, { task_id: 'a' }),
    item(2, { investigation_id: 'ctx/b', event_type: 'OS_VERSION_REP' }),
    item(3, { routing: '{"investigation_id":"x/a"}' }),
    item(4, {}),
    item(5, { task_id: 'a', event_type: 'DELIVERED' }),
    item(6, { task_id: 'a', event_type: 'CLOUD_NOTIFICATION' }),
    item(7, { task_id: 'a', oid: UNKNOWN_OID }),
    item(8, { task_id: 'a', event: '[]' }),
    { record: item(9, {}).record, refusal: { code: 'record_undecodable' as const, message: '' } },
  ]);
  const shown = [...found].map(([oid, tasks]) => [oid, [...tasks].map(([id, all]) => [id, all.map((r) => r.offset)])]);
  const wanted = [
    ['a', [1, 3]],
    ['b', [2]],
  ];
  expect(shown).toEqual([[OID, wanted]]);
  expect(found.get(OID)?.get('b')).toEqual([
    { sid: 's', eventId: 'e2', eventType: 'OS_VERSION_REP', atMs: 7, partition: 3, offset: 2, bytes: 10 },
  ]);
});

test('an event id is kept if it is short and plain, and as a hash otherwise', () => {
  expect(responseId('0b7fd1f6-51a6.x_Y:1')).toBe('0b7fd1f6-51a6.x_Y:1');
  for (const odd of ['', 'a b', 'ü', 'x'.repeat(65)]) expect(responseId(odd)).toMatch(/^#[0-9a-f]{32}$/);
  expect(responseId('a b')).not.toBe(responseId('a  b'));
});

test('a long event type is truncated', () => {
  const found = gathered([item(1, { task_id: 'a', event_type: 'T'.repeat(1_000) })]);
  expect(found.get(OID)?.get('a')?.[0]?.eventType).toBe('T'.repeat(64));
});
