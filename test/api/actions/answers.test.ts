/** Every action's answer is as the description says; all other tests of the API are held to it too (conforms.ts). */
import { Type } from '@sinclair/typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACTIONS } from '../../../src/api/actions/table.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { actionsSeen, conform } from '../support/conforms.ts';
import { act, Memory, startApi, tokenOf } from '../support/memory.ts';

const memory = new Memory();
let server: HttpServer;
let jwt: string;

beforeAll(async () => {
  server = await startApi(memory);
  jwt = await tokenOf(server);
  memory.addSensor('s', { hostname: 'h' });
});
afterAll(() => server.close());

test('each action is held to its own', async () => {
  const ask = (action: string, data: object) => act(server, jwt, action, data);
  const { task_id } = (await ask('task', { task: 'os_version' })).body.data;
  const asked: [string, object][] = [
    ['list', { limit: 1 }],
    ['get', { task_id }],
    ['why', { task_id, sid: 's' }],
    ['preview', { selector: 'plat == linux' }],
    ['explain', { selector: 'hostname == "h"', sid: 's' }],
    ['signal_attempt', { sid: 's' }],
    ['signal_received', { sid: 's', inv_id: task_id }],
    ['untask', { task_id }],
  ];
  for (const [action, data] of asked) expect((await ask(action, data)).status, action).toBe(200);
  expect(actionsSeen()).toEqual([...ACTIONS.keys()].toSorted());
});

test('a field that is missing, of another type, or not described is found', () => {
  const schema = Type.Object({ a: Type.Array(Type.Object({ b: Type.Optional(Type.Integer()) })) });
  conform('it', schema, { a: [{ b: 1 }, {}] });
  for (const wrong of [{}, { a: [{ b: '1' }] }, { a: [{ c: 1 }] }, { a: [], c: 1 }])
    expect(() => conform('it', schema, wrong)).toThrow('it is not as described');
  expect(() => conform('it', undefined, {})).toThrow('not described');
});
