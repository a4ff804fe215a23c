import { describe, expect, test } from 'vitest';
import { checkCommand, checkPresence, checkSensorEvent } from '../../src/command/check.ts';
import type { SensorEvent, SensorPresence, TaskCommand } from '../../src/model/records.ts';
import { BARE_OID, OID, PAST_OID, PAST_PERIOD, testOrgs, UNKNOWN_OID } from './orgs.ts';

const APPENDED_AT_MS = 1_700_000_000_000;
const ISSUED_FIRST_MS = Date.UTC(2020);
const orgs = testOrgs();
const rules = { orgs, ttlMaxSeconds: 7_776_000, taskMaxBytes: 16 };

const TASK: TaskCommand = {
  action: 'TASK',
  oid: OID,
  task_id: 't-1',
  task: 'os_version',
  selector: 'plat == windows',
  context: null,
  ttl: 3_600,
  issued_at: APPENDED_AT_MS,
  issued_by: 'someone',
  untask_selector: null,
  options: null,
};
const UNTASK: TaskCommand = { ...TASK, action: 'UNTASK', task: null, selector: null };

describe('a command is judged by the first rule that it breaks', () => {
  test.each<[string, Partial<TaskCommand>, string]>([
    ['an oid that is no UUID', { oid: 'acme' }, 'oid_invalid'],
    ['an org that nobody made', { oid: UNKNOWN_OID }, 'org_unknown'],
    ['an org that never subscribed', { oid: BARE_OID }, 'not_subscribed'],
    ['an org whose subscription had ended', { oid: PAST_OID }, 'not_subscribed'],
    ['an empty task_id', { task_id: '' }, 'task_id_invalid'],
    ['a task_id with a slash', { task_id: 'a/b' }, 'task_id_invalid'],
    ['a task_id of 129 characters', { task_id: 'x'.repeat(129) }, 'task_id_invalid'],
    ['no command line', { task: null }, 'task_missing'],
    ['a blank command line', { task: ' \t' }, 'task_missing'],
    ['a command line of 17 bytes in 16 characters', { task: `${'x'.repeat(15)}é` }, 'task_too_large'],
    ['a ttl below zero', { ttl: -1 }, 'ttl_invalid'],
    ['a ttl above the maximum', { ttl: 7_776_001 }, 'ttl_invalid'],
    ['a ttl beyond whole numbers', { ttl: 2 ** 60 }, 'ttl_invalid'],
    ['an issue more than five minutes ahead', { issued_at: APPENDED_AT_MS + 300_001 }, 'issued_in_future'],
    ['an issue in seconds', { issued_at: APPENDED_AT_MS / 1_000 }, 'issued_at_invalid'],
    ['an issue just before 2020', { issued_at: ISSUED_FIRST_MS - 1 }, 'issued_at_invalid'],
    ['an issue before 1970', { issued_at: -1 }, 'issued_at_invalid'],
    ['a selector that does not parse', { selector: 'plat ==' }, 'selector_syntax'],
    ['a selector of an unknown field', { selector: 'colour == red' }, 'selector_unknown_field'],
    ['a selector with a bad regex', { selector: "hostname matches '('" }, 'selector_bad_regex'],
  ])('%s', (_name, fields, code) => {
    const command = { ...TASK, ...fields };
    const refusal = checkCommand(command.task_id, command, APPENDED_AT_MS, rules);
    expect(refusal?.code).toBe(code);
    expect(refusal?.message).toMatch(/\w/);
  });

  test.each<[string, Partial<TaskCommand>]>([
    ['as it should be', {}],
    ['ttl 0', { ttl: 0 }],
    ['the longest ttl', { ttl: 7_776_000 }],
    ['issued long ago', { issued_at: ISSUED_FIRST_MS }],
    ['exactly five minutes ahead', { issued_at: APPENDED_AT_MS + 300_000 }],
    ['all sensors, as null', { selector: null }],
    ['all sensors, as an empty text', { selector: '' }],
    ['all sensors, as a star', { selector: '*' }],
    ['a command line of exactly the maximum', { task: 'x'.repeat(16) }],
    ['every character that an id may have', { task_id: 'AZaz09._:-' }],
  ])('is valid: %s', (_name, fields) => {
    const command = { ...TASK, ...fields };
    expect(checkCommand(command.task_id, command, APPENDED_AT_MS, rules)).toBeNull();
  });

  test('the key must be the task_id', () => {
    expect(checkCommand('t-2', TASK, APPENDED_AT_MS, rules)?.code).toBe('key_mismatch');
    expect(checkCommand(null, TASK, APPENDED_AT_MS, rules)?.code).toBe('key_mismatch');
  });

  test('subscription is judged at the append time, not now', () => {
    const command = { ...TASK, oid: PAST_OID, issued_at: PAST_PERIOD.from };
    expect(checkCommand('t-1', command, PAST_PERIOD.to - 1, rules)).toBeNull();
    expect(checkCommand('t-1', command, PAST_PERIOD.to, rules)?.code).toBe('not_subscribed');
  });

  test('an UNTASK needs no subscription, no command line and no ttl in range', () => {
    const command = { ...UNTASK, oid: BARE_OID, ttl: -5, selector: 'nonsense ==' };
    expect(checkCommand('t-1', command, APPENDED_AT_MS, rules)).toBeNull();
  });

  test('an UNTASK with issued_at in seconds is refused, and the error names the unit', () => {
    const refusal = checkCommand('t-1', { ...UNTASK, issued_at: APPENDED_AT_MS / 1_000 }, APPENDED_AT_MS, rules);
    expect(refusal?.code).toBe('issued_at_invalid');
    expect(refusal?.message).toContain('milliseconds');
  });

  test('the selector that narrows an UNTASK is checked like any other', () => {
    const command = { ...UNTASK, untask_selector: 'colour == red' };
    const refusal = checkCommand('t-1', command, APPENDED_AT_MS, rules);
    expect(refusal?.code).toBe('selector_unknown_field');
    expect(refusal?.message).toContain('untask_selector');
  });
});

describe('presence', () => {
  const CHANGES = { sensor: null, add_tags: [], remove_tags: [] };
  const RECORD = { event: 'UPDATED', oid: OID, sid: 's-1', connection_id: '', ...CHANGES } as unknown as SensorPresence;
  test.each<[string | null, Partial<SensorPresence>, string | undefined]>([
    ['s-1', {}, undefined],
    ['s-1', { oid: BARE_OID }, undefined],
    ['s-1', { oid: UNKNOWN_OID }, 'org_unknown'],
    ['s-1', { oid: 'x' }, 'oid_invalid'],
    ['s 1', { sid: 's 1' }, 'sid_invalid'],
    ['s-2', {}, 'key_mismatch'],
    [null, {}, 'key_mismatch'],
    ['s-1', { event: 'FORGOTTEN' }, undefined],
    ['s-1', { event: 'CONNECTED' }, 'record_invalid'],
    ['s-1', { event: 'DISCONNECTED' }, 'record_invalid'],
    ['s-1', { event: 'CONNECTED', connection_id: 'c' }, undefined],
    ['s-1', { event: 'CONNECTED', connection_id: 'c'.repeat(1_024) }, undefined],
    ['s-1', { event: 'CONNECTED', connection_id: 'c'.repeat(1_025) }, 'record_invalid'],
    ['s-1', { add_tags: [{ tag: 't'.repeat(256), expires_at: null }] }, undefined],
    ['s-1', { add_tags: [{ tag: 't'.repeat(257), expires_at: null }] }, 'record_invalid'],
    ['s-1', { remove_tags: ['ü'.repeat(129)] }, 'record_invalid'],
    [
      's-1',
      { sensor: { hostname: 'h'.repeat(1_024), mac_addr: 'm'.repeat(4_096), tags: [] as string[] } as never },
      undefined,
    ],
    ['s-1', { sensor: { hostname: 'h'.repeat(1_025), tags: [] as string[] } as never }, 'field_too_long'],
    ['s-1', { sensor: { hostname: 'ü'.repeat(513), tags: [] as string[] } as never }, 'field_too_long'],
    ['s-1', { sensor: { hostname: 'h'.repeat(300_000), tags: [] as string[] } as never }, 'field_too_long'],
    ...['iid', 'did', 'ext_ip', 'int_ip', 'mac_addr'].map((field): [string, Partial<SensorPresence>, string] => [
      's-1',
      { sensor: { [field]: 'x'.repeat(4_097), tags: [] } as never },
      'field_too_long',
    ]),
    ['s-1', { sensor: { tags: ['x'.repeat(262_144)] } as SensorPresence['sensor'] }, undefined],
    ['s-1', { sensor: { hostname: 'h', tags: ['x'.repeat(262_144)] } as SensorPresence['sensor'] }, 'record_invalid'],
  ])('key %s with %o gives %s', (key, fields, code) => {
    expect(checkPresence(key, { ...RECORD, ...fields }, orgs)?.code).toBe(code);
  });
});

describe('sensor events', () => {
  const RECORD = { oid: OID, sid: 's-1', routing: '{"a":1}', event: '{"ERROR":0}' } as SensorEvent;

  test('a valid one comes with its objects', () => {
    expect(checkSensorEvent('s-1', RECORD, orgs)).toEqual({ refusal: null, routing: { a: 1 }, event: { ERROR: 0 } });
  });

  test.each<[Partial<SensorEvent>, string]>([
    [{ routing: '[]' }, 'routing'],
    [{ routing: 'null' }, 'routing'],
    [{ routing: '' }, 'routing'],
    [{ event: '"text"' }, 'event'],
    [{ event: '{' }, 'event'],
  ])('%o is refused and the field named', (fields, field) => {
    const { refusal } = checkSensorEvent('s-1', { ...RECORD, ...fields }, orgs);
    expect(refusal?.code).toBe('record_invalid');
    expect(refusal?.message).toContain(field);
  });

  test.each(['routing', 'event'])('%s may be nested 64 deep, and no deeper', (field) => {
    const nested = (depth: number, inner = '') => `${'{"a":['.repeat(depth / 2)}${inner}${']}'.repeat(depth / 2)}`;
    const codeOf = (text: string) => checkSensorEvent('s-1', { ...RECORD, [field]: text }, orgs).refusal?.code;
    expect(codeOf(nested(64))).toBeUndefined();
    expect(codeOf(nested(64, '"]}{[\\\\"'))).toBeUndefined();
    expect(codeOf(nested(64, '"\\"[{"'))).toBeUndefined();
    expect(codeOf(`{"a":[${Array(500).fill('[]').join()}]}`)).toBeUndefined();
    for (const inner of ['{}', '"\\\\",[]', '[']) expect(codeOf(nested(64, inner))).toBe('nested_too_deep');
    for (const depth of [66, 5_000, 2_000_000]) expect(codeOf(nested(depth))).toBe('nested_too_deep');
    expect(codeOf('"'.repeat(100_001))).toBe('record_invalid');
  });

  test('org, sid and key are checked first', () => {
    expect(checkSensorEvent('s-1', { ...RECORD, oid: UNKNOWN_OID }, orgs).refusal?.code).toBe('org_unknown');
    expect(checkSensorEvent('s-9', RECORD, orgs).refusal?.code).toBe('key_mismatch');
  });
});
