import { describe, expect, it } from 'vitest';
import { Agent } from '../../src/fleet/agent.ts';
import { NO_MISHAPS } from '../../src/fleet/answer.ts';
import { dispatch, SENSOR } from './fixtures.ts';

const settings = { seed: 1, shares: NO_MISHAPS };

function online(): Agent {
  const agent = new Agent(SENSOR);
  agent.connectionId = 'c1';
  return agent;
}

describe('a simulated sensor', () => {
  it('runs what it is sent, and answers', () => {
    const heard = online().hear(dispatch(), settings, 2_000);
    expect(heard).toMatchObject({ ran: true, answer: { event: { event_type: 'OS_VERSION_REP' } } });
  });

  it('hears nothing while it is offline', () => {
    expect(new Agent(SENSOR).hear(dispatch(), settings, 2_000)).toEqual({ ignored: 'offline' });
  });

  it('hears nothing that was sent to an earlier connection', () => {
    expect(online().hear(dispatch({ connection_id: 'c0' }), settings, 2_000)).toEqual({ ignored: 'other_connection' });
  });

  it('hears nothing from the moment of expiry on', () => {
    expect(online().hear(dispatch(), settings, 10_000)).toEqual({ ignored: 'expired' });
    expect(online().hear(dispatch(), settings, 9_999)).toMatchObject({ ran: true });
  });

  it('takes a copy of a dispatch for what it is', () => {
    const agent = online();
    agent.hear(dispatch(), settings, 2_000);
    expect(agent.hear(dispatch(), settings, 2_001)).toEqual({ ignored: 'copy' });
  });

  it('answers another attempt again without running it', () => {
    const agent = online();
    agent.hear(dispatch(), settings, 2_000);
    agent.connectionId = 'c2';
    const again = agent.hear(dispatch({ dispatch_id: 'd2', attempt: 2, connection_id: 'c2' }), settings, 3_000);
    expect(again).toMatchObject({ ran: false, answer: { event: { task_id: 't1' } } });
  });
});
