import { describe, expect, it } from 'vitest';
import {
  judgeBrokers,
  judgeConfig,
  judgeDeadLetters,
  judgeGroup,
  judgeProjection,
  judgeRedis,
  judgeSubject,
  judgeTopics,
  type RedisFacts,
} from '../../src/operations/doctor.ts';

const redis = (change: Partial<RedisFacts> = {}) =>
  judgeRedis({ version: '7.0.15', policy: 'noeviction', usedBytes: 10, maxBytes: 100, skewMs: 3, ...change });

const joiner = { name: 'joiner', role: 'joiner', needed: true };

describe('a doctor', () => {
  it.each([
    [judgeConfig([]), ['ok']],
    [judgeConfig(['a is wrong.', 'b is wrong.']), ['fail', 'fail']],
    [[judgeBrokers(3, 3)], ['ok']],
    [[judgeBrokers(1, 1)], ['warn']],
    [[judgeBrokers(1, 3)], ['fail']],
    [judgeTopics([], [], true), ['ok']],
    [judgeTopics(['x'], ['w'], true), ['warn', 'warn']],
    [judgeTopics(['x'], [], false), ['fail']],
    [[judgeGroup({ ...joiner, members: 2, lag: 10 })], ['ok']],
    [[judgeGroup({ ...joiner, members: 2, lag: 1_000_000 })], ['warn']],
    [[judgeGroup({ ...joiner, members: 0, lag: 0 })], ['fail']],
    [[judgeGroup({ ...joiner, needed: false, members: 0, lag: 0 })], ['warn']],
    [redis(), ['ok']],
    [redis({ version: '6.2.0' }), ['ok']],
    [redis({ version: '6.0.16' }), ['fail']],
    [redis({ policy: 'allkeys-lru' }), ['fail']],
    [redis({ policy: 'allkeys-lru', maxBytes: 0 }), ['warn']],
    [redis({ policy: null }), ['warn']],
    [redis({ usedBytes: 90 }), ['warn']],
    [redis({ skewMs: -5_000 }), ['warn']],
    [[judgeProjection(2, 2)], ['ok']],
    [[judgeProjection(2, 1)], ['warn']],
    [[judgeProjection(0, 0)], ['warn']],
    [[judgeDeadLetters({ byCode: {}, unread: 0, hours: 24 }, 'rt')], ['ok']],
    [[judgeDeadLetters({ byCode: { ttl_invalid: 1 }, unread: 0, hours: 24 }, 'rt')], ['warn']],
    [[judgeDeadLetters({ byCode: {}, unread: 5, hours: 24 }, 'rt')], ['warn']],
    [[judgeSubject('s', 'registered', 'BACKWARD')], ['ok']],
    [[judgeSubject('s', 'new', null)], ['warn']],
    [[judgeSubject('s', 'registered', 'NONE')], ['warn']],
    [[judgeSubject('s', 'incompatible', 'BACKWARD')], ['fail']],
  ])('%j', (findings, levels) => {
    expect(findings.map(({ level }) => level)).toEqual(levels);
    for (const { level, advice } of findings) expect(advice === '').toBe(level === 'ok');
  });

  it('counts dead letters by code, the most frequent first, and names the command that lists them', () => {
    const byCode = { org_unknown: 2, selector_syntax: 10, ttl_invalid: 2 };
    const { finding, advice, counts } = judgeDeadLetters({ byCode, unread: 0, hours: 24 }, 'rt');
    expect(finding).toBe('14 in the last 24 h: selector_syntax 10, org_unknown 2, ttl_invalid 2');
    expect(advice).toContain('rt dead-letter list --since 24h');
    expect(counts).toEqual(byCode);
  });

  it('says so when it has counted only the newest dead letters', () => {
    const { finding } = judgeDeadLetters({ byCode: { org_unknown: 2 }, unread: 7_000, hours: 24 }, 'rt');
    expect(finding).toBe('7002 in the last 24 h, of the newest 2: org_unknown 2');
  });
});
