/**
 * The ids of events: the positions of a reader, encrypted. The positions count the records of all orgs, and an org must not see how
 * much others write. So all ids have the same length, and no id comes twice. Every process of an installation can decrypt the ids of
 * the others, for the same org.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Config } from '../../config.ts';
import type { Positions } from '../ports.ts';
import { packed, unpacked } from './event-position.ts';

/** null: no id was given. `unreadable`: it is not an id of this org, or it was encrypted with another secret or before an upgrade. */
export type Asked = Positions | null | 'unreadable';

export type EventIds = {
  seal(oid: string, positions: Positions): string;
  open(oid: string, id: string | undefined): Asked;
};

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createEventIds(config: Config): EventIds {
  const key = createHmac('sha256', sharedSecret(config)).update('ids of events').digest();
  return {
    seal: (oid, positions) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(oid));
      const sealed = Buffer.concat([cipher.update(packed(positions)), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open: (oid, id) => {
      if (id === undefined || id === '') return null;
      const bytes = Buffer.from(id, 'base64url');
      const [iv, tag, sealed] = [
        bytes.subarray(0, IV_BYTES),
        bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES),
        bytes.subarray(IV_BYTES + TAG_BYTES),
      ];
      try {
        const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(oid));
        return unpacked(Buffer.concat([decipher.setAuthTag(tag).update(sealed), decipher.final()]));
      } catch {
        return 'unreadable';
      }
    },
  };
}

/** Without JWT_SECRET, the address of Redis is used: all processes of an installation know it, and tenants do not. */
const sharedSecret = ({ JWT_SECRET, REDIS_URL, REDIS_CLUSTER_NODES }: Config): string =>
  JWT_SECRET || [REDIS_URL, ...REDIS_CLUSTER_NODES].join(' ');
