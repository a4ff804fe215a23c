import { describe, expect, it } from 'vitest';
import {
  judgeBrokers,
  judgeConfig,
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
    [[judgeSubject('s', 'registered', 'BACKWARD')], ['ok']],
    [[judgeSubject('s', 'new', null)], ['warn']],
    [[judgeSubject('s', 'registered', 'NONE')], ['warn']],
    [[judgeSubject('s', 'incompatible', 'BACKWARD')], ['fail']],
  ])('%j', (findings, levels) => {
    expect(findings.map(({ level }) => level)).toEqual(levels);
    for (const { level, advice } of findings) expect(advice === '').toBe(level === 'ok');
  });
});
