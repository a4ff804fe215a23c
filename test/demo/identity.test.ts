import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { painter } from '../../src/cli/io.ts';
import { keepIdentity, readIdentity } from '../../src/demo/identity.ts';
import { inviteText } from '../../src/demo/page.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rt-demo-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the identity of the demonstration', () => {
  it('is the same at the second start', () => {
    const identity = { ...readIdentity(folder), httpPort: 8081 };
    keepIdentity(folder, identity);
    expect(readIdentity(folder)).toEqual(identity);
  });

  it('is another one for another folder', () => {
    expect(readIdentity(folder).oid).not.toBe(readIdentity(folder).oid);
  });

  it('is readable by its owner alone', () => {
    keepIdentity(folder, readIdentity(folder));
    expect(statSync(join(folder, 'demo.json')).mode & 0o777).toBe(0o600);
  });

  it.each(['', '{', '{"oid":"x"}', 'null'])('is made anew when the file is damaged: %j', (text) => {
    writeFileSync(join(folder, 'demo.json'), text);
    expect(readIdentity(folder).jwtSecret).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is printed with lines that carry it', () => {
    const identity = readIdentity(folder);
    const text = inviteText('http://127.0.0.1:8080', identity, ['127.0.0.1:9092'], painter(false));
    expect(text).toContain(`export RT_URL=http://127.0.0.1:8080 RT_OID=${identity.oid} RT_API_KEY=${identity.apiKey}`);
    expect(text).toContain('KAFKA_BROKERS=127.0.0.1:9092 npm run -s rt -- fleet');
  });
});
